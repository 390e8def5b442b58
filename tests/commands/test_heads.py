"""Heads equal folds, whatever commands were run in whatever order."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from adapters.hashing.hasher import Argon2Hasher
from commands.change_password import ChangePassword, change_password
from commands.change_profile import ChangeProfile, change_profile
from commands.define_role import ChangeRolePermissions, DefineRole, RetireRole, change_role_permissions, define_role, retire_role
from commands.end_session import EndAllSessions, end_all_sessions
from commands.grant_role import GrantRole, RevokeRole, grant_role, revoke_role
from commands.issue_token import IssueToken, issue_token
from commands.reauthenticate import Reauthenticate, reauthenticate
from commands.revoke_session import RevokeSession, revoke_other_sessions, revoke_session
from commands.sign_out import SignOut, sign_out
from commands.signing_keys import RotateSigningKey, rotate_signing_key
from commands.suspend_user import ReinstateUser, SuspendUser, reinstate_user, suspend_user
from commands.transact import event_id, folded
from domain import (
    administrators,
    api_key,
    audience,
    bootstrap,
    claim,
    client,
    codec,
    key_owner,
    machine_token,
    role,
    session,
    session_state,
    sign_in_guard,
    signing_key,
    user,
)
from domain.decider import Decider
from domain.errors import Refused, StreamDetached
from domain.ids import RoleName
from domain.permission import Permission
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World, make_world

DECIDERS: dict[str, Decider[Any, Any]] = {
    d.category: d
    for d in (
        administrators.decider, api_key.decider, key_owner.decider, audience.decider, bootstrap.decider, claim.decider, client.decider,
        machine_token.decider, role.decider, session.decider, sign_in_guard.decider, signing_key.decider, user.decider,
    )
}  # fmt: skip
NAMES = ("ada", "bob")
EDITOR = RoleName("editor")
Step = Callable[["Town", str], Awaitable[Any]]


class Town:
    """A world with a few people in it, and what they hold in their hands."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.ids: dict[str, Any] = {}
        self.signed_in: dict[str, Any] = {}
        self.passwords: dict[str, str] = dict.fromkeys(NAMES, PASSWORD)

    async def ctx(self, name: str) -> Any:
        return await self.world.ctx(self.signed_in[name])

    async def register(self, name: str) -> None:
        self.ids[name] = await self.world.register(name)

    async def sign_in(self, name: str) -> None:
        self.signed_in[name] = await self.world.sign_in(name, self.passwords[name])

    async def fail(self, name: str) -> None:
        for _ in range(5):
            with suppress(Refused):
                await self.world.sign_in(name, "wrong horse battery")

    async def refresh(self, name: str) -> None:
        self.signed_in[name] = await issue_token(IssueToken(refresh_token=self.signed_in[name].refresh_token), ANYBODY, self.world.ports)

    async def reuse(self, name: str) -> None:
        token = self.signed_in[name].refresh_token
        await issue_token(IssueToken(refresh_token=token), ANYBODY, self.world.ports)
        self.world.clock.forward(11)
        await issue_token(IssueToken(refresh_token=token), ANYBODY, self.world.ports)

    async def change_password(self, name: str) -> None:
        wish = ChangePassword(current_password=self.passwords[name], new_password=self.passwords[name] + "!")
        self.signed_in[name] = (await change_password(wish, await self.ctx(name), self.world.ports)).result
        self.passwords[name] = wish.new_password

    async def sign_out(self, name: str, *, everywhere: bool = False) -> None:
        claims = await self.world.claims(self.signed_in[name].access_token)
        await sign_out(SignOut(everywhere=everywhere), claims, ANYBODY, self.world.ports)

    async def system(self, act: Any, wish: Any) -> None:
        await act(wish, SYSTEM, self.world.ports)


STEPS: dict[str, Step] = {
    "register": lambda t, n: t.register(n),
    "sign in": lambda t, n: t.sign_in(n),
    "fail": lambda t, n: t.fail(n),
    "refresh": lambda t, n: t.refresh(n),
    "reuse": lambda t, n: t.reuse(n),
    "change password": lambda t, n: t.change_password(n),
    "sign out": lambda t, n: t.sign_out(n),
    "sign out everywhere": lambda t, n: t.sign_out(n, everywhere=True),
    "suspend": lambda t, n: t.system(suspend_user, SuspendUser(user_id=t.ids[n], note="why")),
    "reinstate": lambda t, n: t.system(reinstate_user, ReinstateUser(user_id=t.ids[n])),
    "grant": lambda t, n: t.system(grant_role, GrantRole(user_id=t.ids[n], role=EDITOR)),
    "grant admin": lambda t, n: t.system(grant_role, GrantRole(user_id=t.ids[n], role=role.ADMIN)),
    "revoke": lambda t, n: t.system(revoke_role, RevokeRole(user_id=t.ids[n], role=EDITOR)),
    "revoke admin": lambda t, n: t.system(revoke_role, RevokeRole(user_id=t.ids[n], role=role.ADMIN)),
    "end all": lambda t, n: t.system(end_all_sessions, EndAllSessions(user_id=t.ids[n])),
    "define": lambda t, n: t.system(define_role, DefineRole(name=EDITOR, permissions=(Permission("a.b"),))),
    "widen": lambda t, n: t.system(change_role_permissions, ChangeRolePermissions(role=EDITOR, permissions=(Permission(f"a.{n}"),))),
    "retire": lambda t, n: t.system(retire_role, RetireRole(role=EDITOR)),
    "rotate": lambda t, n: t.system(rotate_signing_key, RotateSigningKey()),
    "wait": lambda t, n: forward(t),
}
OWN: dict[str, Callable[[Any, "Town", str], Awaitable[Any]]] = {
    "name": lambda c, t, n: change_profile(ChangeProfile(name=f"{n} {len(t.world.memory.log)}"), c, t.world.ports),
    "username": lambda c, t, n: change_profile(ChangeProfile(username=f"{n}{len(t.world.memory.log)}"), c, t.world.ports),
    "no username": lambda c, t, n: change_profile(ChangeProfile(username=None), c, t.world.ports),
    "others": lambda c, t, n: revoke_other_sessions(c, t.world.ports),
    "own": lambda c, t, n: revoke_session(RevokeSession(session_id=c.principal.session_id), c, t.world.ports),
    "reauthenticate": lambda c, t, n: reauthenticate(Reauthenticate(password=t.passwords[n]), c, t.world.ports),
}


async def forward(town: Town) -> None:
    town.world.clock.forward(3_700)


async def live_through(hasher: Argon2Hasher, steps: list[tuple[str, str]]) -> World:
    town = Town(await make_world(hasher))
    for step, name in steps:
        try:
            if step in OWN:
                await OWN[step](await town.ctx(name), town, name)
            else:
                await STEPS[step](town, name)
        except (Refused, KeyError):
            continue
    return town.world


HISTORIES = st.lists(st.tuples(st.sampled_from([*STEPS, *OWN]), st.sampled_from(NAMES)), max_size=40).map(
    lambda steps: [("register", "ada"), ("sign in", "ada"), ("define", "ada"), *steps]
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=HISTORIES)
async def test_heads_equal_folds_over_random_histories(hasher: Argon2Hasher, steps: list[tuple[str, str]]) -> None:
    world = await live_through(hasher, steps)
    streams = {e.stream for e in world.memory.log}
    for head in (await world.memory.load(sorted(streams))).heads:
        of = DECIDERS[head.stream.partition("-")[0]]
        events = [codec.decode_event(e.type, e.payload) for e in await world.memory.read_stream(head.stream)]
        assert head.version == len(events)
        assert head.state == codec.encode_state(of.fold(events))
    assert await left_to_administer(world)


async def left_to_administer(world: World) -> bool:
    """Once there was an administrator there always is one, active and holding the role."""
    ids = (await world.state(administrators.decider, administrators.STREAM)).user_ids
    were = [e for e in world.log if isinstance(e, administrators.AdministratorAdded)]
    states = [await world.user_of(user_id) for user_id in ids]
    return bool(ids) == bool(were) and all(isinstance(s, user.Active) and role.ADMIN in s.account.roles for s in states)


async def test_a_head_of_another_code_version_is_folded_anew(world: World) -> None:
    user_id = await world.register("ada")
    head = world.memory._heads[user.stream(user_id)]
    world.memory._heads[user.stream(user_id)] = replace(head, state=b"of an older shape", state_version=0)
    assert (await world.account(user_id)).user_id == user_id
    await world.sign_in("ada")


async def test_a_head_is_folded_anew_from_what_was_left_of_its_events(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    stream = session.stream(ctx.principal.session_id)
    (head,) = (await world.memory.load([stream])).heads
    past = list(await world.memory.read_stream(stream))
    world.memory._streams[stream] = [*past, replace(past[-1], version=head.version + 1), replace(past[-1], version=head.version + 2)]
    whole = await folded(world.memory, replace(head, version=head.version + 2, state=None), session.decider)
    world.memory._streams[stream][head.version] = replace(world.memory._streams[stream][head.version], payload=b"")
    assert await folded(world.memory, replace(head, version=head.version + 2, state=None), session.decider) == whole
    assert isinstance(whole, session_state.Live)
    assert whole.user_id == ctx.principal.user_id


async def test_a_head_is_never_folded_from_a_part_of_its_events(world: World) -> None:
    stream = user.stream(await world.register("ada"))
    (head,) = (await world.memory.load([stream])).heads
    del world.memory._streams[stream][0]
    with pytest.raises(StreamDetached, match="minos retention attach"):
        await folded(world.memory, replace(head, state=None), user.decider)


async def test_a_refused_command_leaves_nothing_behind(world: World) -> None:
    ada = await world.register("ada")
    before = world.memory.log
    for act, wish in ((suspend_user, SuspendUser(user_id=ada)), (grant_role, GrantRole(user_id=ada, role=role.ADMIN))):
        try:
            await act(wish, ANYBODY, world.ports)  # type: ignore[operator]
        except Refused:
            continue
    assert world.memory.log == before


async def test_the_events_of_a_command_are_named_after_it(world: World) -> None:
    """So that an append that is sent twice names its events the same."""
    await world.register("ada")
    commands: dict[Any, list[Any]] = {}
    for e in world.memory.log:
        commands.setdefault(e.command_id, []).append(e.event_id)
    for command_id, ids in commands.items():
        assert ids == [event_id(command_id, n) for n in range(len(ids))]
        assert all((i.version, i.variant) == (8, "specified in RFC 4122") for i in ids)


async def test_every_event_says_who_did_it_in_which_session(world: World) -> None:
    ctx = await world.enter("ada")
    assert ctx.principal is not None
    await change_profile(ChangeProfile(name="Ada"), ctx, world.ports)
    last = world.memory.log[-1]
    assert (last.actor, last.session_id) == (f"user:{ctx.principal.user_id}", ctx.principal.session_id)
    assert {e.actor for e in world.memory.log} == {"system:cli", "anonymous", last.actor}
    assert last.correlation_id == ctx.correlation_id
