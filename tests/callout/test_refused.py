"""Who is not let in: anybody without an access token for `nats` of a service account that is good at this moment and may read something."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from msgspec.structs import replace
from nats.errors import Error

from adapters.access_tokens import header
from adapters.base64url import to_text
from adapters.nats_keys import new_seed
from commands.client_credentials import revoke_client_tokens
from commands.service_accounts import (
    ChangeServiceAccount,
    DeleteServiceAccount,
    DisableServiceAccount,
    change_service_account,
    delete_service_account,
    disable_service_account,
)
from domain.ids import ClientId
from domain.permission import Permission
from domain.session import MINOS
from tests.callout.conftest import Authority, Enter

Shown = dict[str, Any]
ACCESS = "minos.signals.access"


async def of_another_audience(authority: Authority) -> Shown:
    return {"token": await authority.token(await authority.service(ACCESS), audience=MINOS)}


async def of_a_person(authority: Authority) -> Shown:
    person = await authority.served.person()
    return {"token": person.access}


async def of_a_person_for_nats(authority: Authority) -> Shown:
    """As if somebody had found a way to have one."""
    person, ports = await authority.served.person(), authority.world.ports
    claims = await authority.world.tokens.verify(person.access, audiences=None)
    return {"token": await ports.mint.access_token(replace(claims, aud="nats", scope=ACCESS))}


async def that_has_expired(authority: Authority) -> Shown:
    return {"token": await authority.token(await authority.service(ACCESS), age=301)}


async def within_the_leeway_of_its_end(authority: Authority) -> Shown:
    """Elsewhere it is good for half a minute more: a connection would have an end that has passed."""
    return {"token": await authority.token(await authority.service(ACCESS), age=305)}


async def of_who_may_read_nothing(authority: Authority) -> Shown:
    """An empty list of subjects is no bound to NATS."""
    return {"token": await authority.token(await authority.service("orders.read", "minos.events.read"))}


async def of_none_by_scope(authority: Authority) -> Shown:
    """Its holder asked for less than the service account may do."""
    token = await authority.token(await authority.service(ACCESS))
    claims = await authority.world.tokens.verify(token, audiences=None)
    return {"token": await authority.world.ports.mint.access_token(replace(claims, scope=""))}


def with_account(change: Callable[[Authority, ClientId], Awaitable[object]]) -> Callable[[Authority], Awaitable[Shown]]:
    """A good token, whose service account is changed before it is shown."""

    async def shown(authority: Authority) -> Shown:
        account = await authority.service(ACCESS)
        token = await authority.token(account)
        await change(authority, account)
        return {"token": token}

    return shown


def disabled(authority: Authority, account: ClientId) -> Awaitable[object]:
    return disable_service_account(DisableServiceAccount(client_id=account), authority.context(), authority.world.ports)


def deleted(authority: Authority, account: ClientId) -> Awaitable[object]:
    return delete_service_account(DeleteServiceAccount(client_id=account), authority.context(), authority.world.ports)


def told_to_let_its_tokens_go(authority: Authority, account: ClientId) -> Awaitable[object]:
    return revoke_client_tokens(account, authority.context(), authority.world.ports)


def without_its_permission(authority: Authority, account: ClientId) -> Awaitable[object]:
    change = ChangeServiceAccount(client_id=account, permissions=(Permission("orders.read"),))
    return change_service_account(change, authority.context(), authority.world.ports)


def without_the_audience(authority: Authority, account: ClientId) -> Awaitable[object]:
    change = ChangeServiceAccount(client_id=account, audiences=(MINOS,))
    return change_service_account(change, authority.context(), authority.world.ports)


async def tampered_with(authority: Authority) -> Shown:
    head, body, tail = (await authority.token(await authority.service(ACCESS))).split(".")
    return {"token": f"{head}.{body}.{tail[:-4]}AAAA"}


async def beside_a_password(authority: Authority) -> Shown:
    return {"token": await authority.token(await authority.service(ACCESS)), "user": "shop", "password": "guess"}


async def as_a_password(authority: Authority) -> Shown:
    return {"user": "shop", "password": await authority.token(await authority.service(ACCESS))}


async def signed_for_another_purpose(authority: Authority) -> Shown:
    """Word for word an access token, under a key for signals (threats.md 14)."""
    head, body, _ = (await authority.token(await authority.service(ACCESS))).split(".")
    signer = await authority.world.signals_keyring.signer()
    message = header(signer.kid, signer.algorithm) + b"." + body.encode()
    assert head != message.partition(b".")[0].decode()
    return {"token": f"{message.decode()}.{to_text(signer.sign(message))}"}


async def nothing(_: Authority) -> Shown:
    return {}


async def garbage(_: Authority) -> Shown:
    return {"token": "e30.e30.e30"}


async def more_than_a_token_can_be(_: Authority) -> Shown:
    return {"token": "x" * 3_000}


async def a_strangers_key(_: Authority) -> Shown:
    return {"nkeys_seed_str": new_seed()}


CHANGES = (disabled, deleted, told_to_let_its_tokens_go, without_its_permission, without_the_audience)


@pytest.mark.parametrize(
    "shown",
    [
        of_another_audience, of_a_person, of_a_person_for_nats, that_has_expired, within_the_leeway_of_its_end, of_who_may_read_nothing,
        of_none_by_scope, signed_for_another_purpose, tampered_with, beside_a_password, as_a_password, nothing, garbage,
        more_than_a_token_can_be, a_strangers_key,
        *(pytest.param(with_account(change), id=change.__name__) for change in CHANGES),
    ],
)  # fmt: skip
async def test_nobody_else_is_let_in_and_nobody_is_told_why(
    authority: Authority, enter: Enter, shown: Callable[[Authority], Awaitable[Shown]]
) -> None:
    told = len(refusals(authority))
    with pytest.raises(Error, match=r"^nats: 'Authorization Violation'$"):
        await enter(**await shown(authority))
    async with asyncio.timeout(10):
        while len(said := refusals(authority)[told:]) < 1:  # the server writes it down once it has answered
            await asyncio.sleep(0.02)
    assert [line.rpartition("[WRN] ")[2] for line in said] == ["Auth callout service returned an error: not authorized"]


def refusals(authority: Authority) -> list[str]:
    """What the server wrote down of refusals, which is all that comes of the answer."""
    return [line for line in (authority.server.home / "nats.log").read_text().splitlines() if "callout" in line]


async def test_a_service_that_asked_for_less_by_scope_can_do_less(authority: Authority, enter: Enter) -> None:
    account = await authority.service("minos.signals.access", "minos.signals.roles.shop")
    claims = await authority.world.tokens.verify(await authority.token(account), audiences=None)
    entered = await enter(name=account, token=await authority.world.ports.mint.access_token(replace(claims, scope=ACCESS)))
    await entered.subscribe("live.v1.roles.shop.>")
    await entered.subscribe("live.v1.access.>")
    await entered.told(1)


@pytest.mark.parametrize("pattern", ["minos.signals.*", "minos.signals.roles.*", "*"])
async def test_a_pattern_of_permissions_is_worth_the_audiences_there_are_and_no_wildcard(
    authority: Authority, enter: Enter, pattern: str
) -> None:
    await authority.served.project()
    account = await authority.service(pattern)
    entered = await enter(name=account, token=await authority.token(account))
    for allowed in ("live.v1.roles.orders.>", "live.v1.role_map.reports.>", "hint.v1.roles.orders.>"):
        await entered.subscribe(allowed)
    await entered.told(0)
    for forbidden in ("live.v1.>", "live.v1.roles.*.>", "live.v1.*.*.>", "live.v1.roles.shop.>", "hint.v1.roles.>"):
        await entered.subscribe(forbidden)
    await entered.client.publish("$JS.API.DIRECT.GET.SIG_ROLES_shop", b'{"seq":1}', reply=f"_INBOX_{account}.1")
    await entered.told(6)


async def test_a_connection_ends_with_its_token_and_the_token_opens_no_other(authority: Authority, enter: Enter) -> None:
    account = await authority.service(ACCESS)
    token = await authority.token(account, ttl=300, age=298)
    entered = await enter(name=account, token=token)
    async with asyncio.timeout(10):
        while not entered.client.is_closed:
            await asyncio.sleep(0.02)
    with pytest.raises(Error, match="Authorization Violation"):
        await enter(name=account, token=token)


async def test_a_connection_of_a_token_of_an_hour_ends_after_five_minutes_all_the_same(authority: Authority) -> None:
    """Whoever was revoked meanwhile has nothing to come back with (threats.md 13)."""
    token = await authority.token(await authority.service(ACCESS), ttl=3_600)
    user = (await authority.answer(auth_token=token))["nats"]["jwt"]
    assert user["exp"] - user["iat"] == 300
