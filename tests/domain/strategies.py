"""Any event, built from the types of its fields; so a new event is under the laws without anybody thinking of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect as shape

from domain.codec import EVENT_TYPES
from domain.event import Event, Sealed
from domain.ids import SubjectKeyId

TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is the other argument


def values(of: shape.Type, key: SubjectKeyId) -> st.SearchStrategy[Any]:
    """Values of a field's type. All sealed fields of an event are under `key`."""
    match of:
        case shape.StructType(cls=cls) if cls is Sealed:
            return st.binary(min_size=12, max_size=40).map(lambda box: Sealed(key, box))
        case shape.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{f.name: values(f.type, key) for f in fields})
        case shape.UnionType(types=types):
            return st.one_of([values(t, key) for t in types])
        case shape.VarTupleType(item_type=item, max_length=most):
            return st.lists(values(item, key), min_size=1, max_size=min(4, most or 4)).map(tuple)
        case shape.StrType(pattern=str(pattern), max_length=longest):
            return st.from_regex(pattern.replace("$(?!\n)", r"\Z").replace(r"$(?!\n)", r"\Z"), fullmatch=True).filter(
                lambda text: longest is None or len(text) <= longest
            )
        case shape.IntType(ge=least, le=most):
            return st.integers(least or 0, 2**53 - 1 if most is None else most)
        case shape.EnumType(cls=enum):
            return st.sampled_from(list(enum))
        case _:
            return _simple(of)


def _simple(of: shape.Type) -> st.SearchStrategy[Any]:
    simple: dict[type[shape.Type], st.SearchStrategy[Any]] = {
        shape.UUIDType: st.uuids(),
        shape.DateTimeType: TIMES,
        shape.BoolType: st.booleans(),
        shape.BytesType: st.binary(max_size=40),
        shape.NoneType: st.none(),
    }
    return simple[type(of)]


def events_of(event_type: type[Event]) -> st.SearchStrategy[Any]:
    """Any event of a type."""
    fields = shape.type_info(event_type).fields  # type: ignore[attr-defined]  # of a struct
    return st.uuids().flatmap(lambda key: st.builds(event_type, **{f.name: values(f.type, SubjectKeyId(key)) for f in fields}))


def any_event(chosen: Callable[[type[Event]], bool] = lambda _: True) -> st.SearchStrategy[Any]:
    return st.sampled_from([t for t in EVENT_TYPES.values() if chosen(t)]).flatmap(events_of)


def rising_times(start: datetime, steps: list[float]) -> list[datetime]:
    times, at = [], start
    for step in steps:
        at += timedelta(seconds=step)
        times.append(at)
    return times
