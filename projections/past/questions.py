"""The questions about one moment, as people write them: what is asked, and about whom or what."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple, TypeAlias
from uuid import UUID

from msgspec import Struct

from domain import api_key, client, user
from domain.audit import Matter, Question
from domain.ids import ClientId, KeyId, RoleName, UserId, is_slug
from domain.permission import Permission, is_permission
from projections.past.answer import Answer
from projections.past.moments import Moment
from projections.past.sessions_then import SessionThen, sessions_of
from projections.past.walks import Place
from projections.past.what_can import Right, what_can
from projections.past.who_can import Holder, who_can
from projections.past.who_has import RoleHolder, who_has
from projections.reading import ReadModels

Row: TypeAlias = Holder | Right | RoleHolder | SessionThen


class Asked(Struct, frozen=True, kw_only=True):
    """One question, read and found to be one."""

    question: Question
    about: Any
    """As the function that answers takes it."""
    matter: Matter
    """As the log notes it."""


class _About(NamedTuple):
    value: Any
    matter: Matter


def _permission(text: str) -> _About:
    if not is_permission(text):
        raise ValueError(text)
    return _About(Permission(text), Matter(permission=Permission(text)))


def _role(text: str) -> _About:
    if not is_slug(text):
        raise ValueError(text)
    return _About(RoleName(text), Matter(role=RoleName(text)))


def _user(text: str) -> _About:
    user_id = UserId(UUID(text.removeprefix("user:")))
    return _About(user_id, Matter(user_id=user_id))


def _somebody(text: str) -> _About:
    """An account, a service account or an API key; without a word before it, an account."""
    kind, _, name = text.rpartition(":")
    match kind:
        case "client" if is_slug(name):
            return _About(client.stream(ClientId(name)), Matter())
        case "api_key":
            return _About(api_key.stream(KeyId(UUID(name))), Matter())
        case _:
            user_id, matter = _user(text)
            return _About(user.stream(user_id), matter)


_READ: Mapping[Question, Callable[[str], _About]] = {
    Question.WHO_CAN: _permission,
    Question.WHAT_CAN: _somebody,
    Question.WHO_HAS: _role,
    Question.SESSIONS_OF: _user,
}
QUESTIONS = tuple(_READ)
_ANSWERED: Mapping[Question, Callable[..., Awaitable[Answer[Any]]]] = {
    Question.WHO_CAN: who_can,
    Question.WHAT_CAN: what_can,
    Question.WHO_HAS: who_has,
    Question.SESSIONS_OF: sessions_of,
}


def read(question: Question, about: str) -> Asked:
    """Raises ValueError for what is not the name of anything one could ask about."""
    value, matter = _READ[question](about)
    return Asked(question=question, about=value, matter=matter)


async def answer(models: ReadModels, asked: Asked, then: Moment, *, after: Place | None = None, limit: int = 50) -> Answer[Row]:
    """Raises StoreUnavailable."""
    found: Answer[Row] = await _ANSWERED[asked.question](models, asked.about, then, after=after, limit=limit)
    return found
