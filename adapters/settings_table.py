"""The settings as rows: what the reference, `minos settings` and whoever reads them from the environment go by."""

from typing import Literal, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Struct

from adapters.secret import Secret
from adapters.settings import Settings

PREFIX = "MINOS_"


class Setting(Struct, frozen=True, kw_only=True):
    """One row of the reference. `bounds` and `choices` say what is accepted; durations also take the suffixes s, m, h, d."""

    name: str
    field: str
    doc: str
    unit: str | None
    default: str
    secret: bool
    listed: bool
    """Several values, separated by commas."""
    choices: tuple[str, ...]
    bounds: tuple[int, int] | None


def _described() -> tuple[Setting, ...]:
    hints = get_type_hints(Settings, include_extras=True)
    return tuple(_setting(field.name, hints[field.name], field.default) for field in msgspec.structs.fields(Settings))


def _setting(field: str, hint: object, default: object) -> Setting:
    kind, meta = get_args(hint)
    extra: dict[str, str | None] = meta.extra or {}
    return Setting(
        name=PREFIX + field.upper(),
        field=field,
        doc=meta.description,
        unit=extra.get("unit"),
        default=shown(default),
        secret=Secret in get_args(kind),
        listed=get_origin(kind) is tuple,
        choices=tuple(get_args(kind)) if get_origin(kind) is Literal else (),
        bounds=None if meta.ge is None else (meta.ge, meta.le),
    )


def shown(value: object) -> str:
    """Write a value the way it is given in the environment; secrets as they hide themselves."""
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case tuple():
            return ",".join(str(part) for part in cast("tuple[object, ...]", value))  # settings hold tuples of str
        case _:
            return str(value)


SETTINGS: tuple[Setting, ...] = _described()
