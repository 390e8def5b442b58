"""From the bytes of a body to the message a handler asks for, strictly; and everything that is wrong with it at once."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import NODEFAULT, Struct

from api.faults import fault
from api.refusals import Fault, MalformedBody, ValidationFailed
from api.repeated_names import refuse_repeated_names

S = TypeVar("S", bound=Struct)


@lru_cache(maxsize=128)
def _decoder(into: type[S]) -> msgspec.json.Decoder[S]:
    return msgspec.json.Decoder(into)


def decode(body: bytes, into: type[S]) -> S:
    """Raises MalformedBody for what is not JSON, NameRepeated for what readers disagree on, ValidationFailed for another shape."""
    refuse_repeated_names(body)
    try:
        message: S = _decoder(into).decode(body)
    except msgspec.ValidationError as error:
        raise ValidationFailed(tuple(_faults(body, into, str(error)))) from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise MalformedBody from None
    return message


def _faults(body: bytes, into: type[Struct], first: str) -> Iterator[Fault]:
    """Each field is looked at by itself; messages never repeat what was sent."""
    try:
        raw = msgspec.json.decode(body, type=dict[str, Any])
    except msgspec.ValidationError:
        yield fault(first, into)
        return
    except msgspec.DecodeError:  # further on than the first fault it is not even JSON
        raise MalformedBody from None
    fields = {field.encode_name: field for field in msgspec.structs.fields(into)}
    found = False
    for name, field in fields.items():
        if name not in raw:
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                found = True
                yield Fault(pointer=f"/{name}", code="missing", detail="Required.")
            continue
        try:
            msgspec.convert(raw[name], field.type)
        except msgspec.ValidationError as error:
            found = True
            yield fault(str(error), field.type, f"/{name}")
    for name in sorted(raw.keys() - fields.keys())[:16]:
        found = True
        yield Fault(pointer=f"/{_escaped(name)}", code="unknown_field", detail="There is no such field here.")
    if not found:
        yield fault(first, into)


def _escaped(name: str) -> str:
    return name[:64].replace("~", "~0").replace("/", "~1")
