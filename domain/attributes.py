"""What an operator lets an account say of its person besides the name: registered attributes, each with a kind and who may write it.

All of an account's are sealed together, in a stream of their own (`attributes-<user id>`): signing in does not carry them.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct

from domain.decider import Decider
from domain.errors import AttributeInvalid, AttributeProtected, NoSuchAttribute
from domain.event import Event, Sealed
from domain.ids import StreamName, UserId

MOST = 64
LONGEST = 1_000
MOST_ITEMS = 32

AttributeName = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,63}$(?!\n)")]
Value = str | int | bool | list[str]


class Kind(StrEnum):
    STRING = "string"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    STRINGS = "strings"


class Writer(StrEnum):
    OWNER = "owner"
    """And administrators."""
    ADMINISTRATOR = "administrator"


class Rule(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attribute there may be. `max_length` is of a text, in characters; integers fit into 53 bits."""

    kind: Kind
    writable_by: Writer = Writer.ADMINISTRATOR
    max_length: Annotated[int, Meta(ge=1, le=LONGEST)] = 200
    choices: tuple[str, ...] = ()
    """What a text may be; anything where there are none."""

    @property
    def wanted(self) -> str:
        """What it takes, in words."""
        match self.kind:
            case Kind.STRING | Kind.STRINGS:
                text = f"one of {', '.join(self.choices)}" if self.choices else f"1 to {self.max_length} printable characters"
                return text if self.kind is Kind.STRING else f"a list of {MOST_ITEMS} texts at most, each {text}"
            case Kind.INTEGER:
                return "a whole number of 53 bits"
            case Kind.BOOLEAN:
                return "true or false"

    def accepts(self, value: Value) -> bool:
        match self.kind:
            case Kind.STRING:
                return isinstance(value, str) and self._is_text(value)
            case Kind.INTEGER:
                return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**53
            case Kind.BOOLEAN:
                return isinstance(value, bool)
            case Kind.STRINGS:
                return isinstance(value, list) and len(value) <= MOST_ITEMS and all(self._is_text(item) for item in value)

    def _is_text(self, text: str) -> bool:
        fits = 0 < len(text) <= self.max_length and text.isprintable()
        return fits and (not self.choices or text in self.choices)


Schema = Mapping[str, Rule]


def changed(before: Mapping[str, Value], changes: Mapping[str, Value | None], schema: Schema, *, by: Writer) -> dict[str, Value]:
    """Give what holds after the changes; null takes one away.

    Raises NoSuchAttribute, AttributeProtected where the owner may only read, AttributeInvalid.
    """
    after = dict(before)
    for name, value in changes.items():
        rule = schema.get(name)
        if rule is None:
            raise NoSuchAttribute(name)
        if by is Writer.OWNER and rule.writable_by is not Writer.OWNER:
            raise AttributeProtected(name)
        if value is None:
            after.pop(name, None)
        elif rule.accepts(value):
            after[name] = value
        else:
            raise AttributeInvalid(name, rule.wanted)
    return after


class AttributesSet(Event, frozen=True, kw_only=True, tag="attributes.set.v1"):
    """All that an account has from now on, as one sealed JSON object; null when there is nothing left."""

    user_id: UserId
    attributes: Sealed | None


class Attributes(Struct, frozen=True, kw_only=True):
    sealed: Sealed | None = None


def evolve(_: Attributes, event: AttributesSet) -> Attributes:
    return Attributes(sealed=event.attributes)


decider: Decider[Attributes, AttributesSet] = Decider("attributes", Attributes, 1, Attributes(), evolve)


def stream(user_id: UserId) -> StreamName:
    return StreamName(f"attributes-{user_id}")


def replace(state: Attributes, *, user_id: UserId, attributes: Sealed | None, at: datetime) -> Sequence[AttributesSet]:
    if state.sealed == attributes:
        return []
    return [AttributesSet(user_id=user_id, attributes=attributes, at=at)]
