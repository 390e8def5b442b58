"""What is secret or personal does not show when something is printed."""

from typing import Any
from uuid import UUID

import msgspec
import pytest
from msgspec import inspect as shape

from commands import (
    bootstrap,
    change_password,
    change_profile,
    check_permission,
    define_role,
    end_session,
    grant_role,
    import_user,
    issue_token,
    judge_password,
    reauthenticate,
    register_user,
    revoke_session,
    sign_in,
    sign_out,
    signing_keys,
    suspend_user,
)
from commands.context import Context
from commands.issue_token import IssueToken
from commands.issue_token import issue_token as run_issue_token
from commands.open_account import NewAccount
from commands.ports import PresentedRefreshToken
from commands.reauthenticate import Reauthenticate
from commands.reauthenticate import reauthenticate as run_reauthenticate
from domain.ids import CorrelationId, SessionId
from domain.user_events import RegisteredBy
from tests.commands.world import ANYBODY, PASSWORD, World

MODULES = (
    bootstrap, change_password, change_profile, check_permission, define_role, end_session, grant_role, import_user,
    issue_token, judge_password, reauthenticate, register_user, revoke_session, sign_in, sign_out, signing_keys, suspend_user,
)  # fmt: skip
MESSAGES = sorted(
    {
        value
        for module in MODULES
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, msgspec.Struct) and value.__struct_config__.forbid_unknown_fields
    },
    key=lambda message: message.__name__,
)
MARK = "zx-secret-zx"


def filled(message: Any) -> Any:
    """The message with a mark in every field that takes free text."""
    fields = {}
    for f in shape.type_info(message).fields:  # type: ignore[attr-defined]  # of a struct
        kinds = f.type.types if isinstance(f.type, shape.UnionType) else (f.type,)
        if any(isinstance(k, shape.StrType) and k.pattern is None for k in kinds):
            fields[f.name] = MARK
        elif f.required:
            fields[f.name] = UUID(int=7) if any(isinstance(k, shape.UUIDType) for k in kinds) else "x"
    return message(**fields)


def test_there_are_messages_to_look_at() -> None:
    assert len(MESSAGES) >= 19


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: m.__name__)
def test_free_text_of_a_command_hides(message: Any) -> None:
    shown = repr(filled(message))
    assert MARK not in shown


def test_the_mark_would_be_seen_where_nothing_hides_it() -> None:
    class Bare(msgspec.Struct):
        password: str

    assert MARK in repr(filled(Bare))


async def test_tokens_in_answers_hide(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    refreshed = await run_issue_token(IssueToken(refresh_token=signed_in.refresh_token), ANYBODY, world.ports)
    proven = (await run_reauthenticate(Reauthenticate(password=PASSWORD), await world.ctx(refreshed), world.ports)).result
    for answer in (signed_in, refreshed, proven):
        for secret in (answer.access_token, getattr(answer, "refresh_token", None), getattr(answer, "device_token", None)):
            assert secret is None or secret not in repr(answer)


async def test_a_sessions_seed_and_a_presented_secret_hide(world: World) -> None:
    await world.register("ada")
    signed_in = await world.sign_in("ada")
    live = await world.session_of(signed_in.session_id)
    assert repr(live.seed) not in repr(live)
    presented = PresentedRefreshToken(session_id=SessionId(UUID(int=1)), generation=1, key_version=1, secret=MARK.encode())
    assert MARK not in repr(presented)


def test_where_somebody_came_from_hides() -> None:
    ctx = Context(correlation_id=CorrelationId(UUID(int=1)), network=MARK, user_agent=MARK)
    assert MARK not in repr(ctx)
    account = NewAccount(email=MARK, password=MARK, username=MARK, name=MARK, roles=(), registered_by=RegisteredBy.SELF)
    assert MARK not in repr(account)
