"""What is remembered of sessions saves reads and decides nothing."""

from uuid import UUID

from commands.session_origins import SessionOrigin, SessionOrigins
from domain.ids import SessionId, UserId


def named(number: int) -> SessionId:
    return SessionId(UUID(int=number))


def origin(number: int) -> SessionOrigin:
    return SessionOrigin(user_id=UserId(UUID(int=number)), audiences=(), seed=bytes([number]) * 32)


def test_the_session_met_longest_ago_is_forgotten_first() -> None:
    origins = SessionOrigins(most=2)
    origins.remember(named(1), origin(1))
    origins.remember(named(2), origin(2))
    assert origins.recall(named(1)) == origin(1)
    origins.remember(named(3), origin(3))
    assert origins.recall(named(2)) is None
    assert origins.recall(named(1)) == origin(1)
    assert origins.recall(named(3)) == origin(3)


def test_the_seed_hides() -> None:
    assert "010101" not in repr(origin(1))
    assert r"\x01" not in repr(origin(1))
