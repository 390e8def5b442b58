"""Service tokens: of a registered service account, for 90 days at most, revocable at once, verifiable as long as they live."""

from uuid import uuid4

import msgspec
import pytest

from commands.audiences import ChangeAudience, RetireAudience, change_audience, retire_audience
from commands.client_credentials import revoke_client_tokens
from commands.identify import identify
from commands.machines import identify_machine
from commands.service_accounts import DisableServiceAccount, disable_service_account
from commands.service_tokens import (
    LONGEST_SERVICE_TOKEN,
    IssueServiceToken,
    RevokeServiceToken,
    ServiceToken,
    issue_service_token,
    revoke_service_token,
    tell_of_end,
)
from commands.signing_keys import RevokeSigningKey, RotateSigningKey, revoke_signing_key, rotate_signing_key
from domain import signing_key
from domain.audience import Rules
from domain.errors import AudienceNotAllowed, InvalidToken, NoSuchServiceAccount, NoSuchToken, RightsExceeded, SessionRequired
from domain.ids import AudienceName, ClientId, Kid, TokenId
from domain.machine_token import ServiceTokenExpiresSoon
from domain.signing_key import SigningKeyPledged
from tests.commands.machines import service_account
from tests.commands.world import SYSTEM, World

DAYS_90 = 90 * 86_400


async def issue(world: World, client_id: ClientId, ttl: int = DAYS_90, audience: str | None = None) -> ServiceToken:
    wish = IssueServiceToken(client_id=client_id, ttl=ttl, audience=None if audience is None else AudienceName(audience))
    return (await issue_service_token(wish, SYSTEM, world.ports)).result


async def test_a_service_token_is_a_services_and_good_to_its_end(world: World) -> None:
    client_id = await service_account(world, "minos.roles.read", audiences=("minos",))
    token = await issue(world, client_id)
    claims = await world.claims(token.token)
    assert (claims.principal, claims.sub, claims.jti, claims.exp - claims.iat) == ("service", client_id, str(token.token_id), DAYS_90)
    world.clock.forward(89 * 86_400)
    assert (await identify_machine(claims, world.ports)).permissions == ("minos.roles.read",)
    assert token.token not in repr(token)


async def test_a_year_long_admin_bearer_is_refused(world: World) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"client_id": "client_x", "ttl": LONGEST_SERVICE_TOKEN + 1}, IssueServiceToken)
    ctx = await world.enter("ada")
    client_id = await service_account(world, "*")
    with pytest.raises(RightsExceeded):
        await issue_service_token(IssueServiceToken(client_id=client_id, ttl=DAYS_90), ctx, world.ports)


async def test_a_service_token_is_no_persons(world: World) -> None:
    claims = await world.claims((await issue(world, await service_account(world, "*"))).token)
    with pytest.raises(SessionRequired):
        await identify(claims, world.ports)


async def test_it_is_revoked_at_once_by_its_id_and_by_its_service_account(world: World) -> None:
    client_id = await service_account(world, "minos.roles.read")
    first, second = await issue(world, client_id), await issue(world, client_id)
    await revoke_service_token(RevokeServiceToken(token_id=first.token_id), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_machine(await world.claims(first.token), world.ports)
    await identify_machine(await world.claims(second.token), world.ports)
    await revoke_client_tokens(client_id, SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_machine(await world.claims(second.token), world.ports)


async def test_a_retired_audience_ends_its_service_tokens(world: World) -> None:
    token = await issue(world, await service_account(world, "tasks.read", audiences=("tasks",)), audience="tasks")
    await identify_machine(await world.claims(token.token), world.ports)
    await retire_audience(RetireAudience(audience=AudienceName("tasks")), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_machine(await world.claims(token.token), world.ports)


async def test_an_audience_that_shuts_a_service_account_out_ends_its_tokens(world: World) -> None:
    token = await issue(world, await service_account(world, "tasks.read", audiences=("tasks",)), audience="tasks")
    await change_audience(
        ChangeAudience(audience=AudienceName("tasks"), rules=Rules(clients=(ClientId("client_other"),))), SYSTEM, world.ports
    )
    with pytest.raises(InvalidToken):
        await identify_machine(await world.claims(token.token), world.ports)


@pytest.mark.parametrize(("ttl", "ahead"), [(DAYS_90, 14 * 86_400), (10 * 86_400, 2 * 86_400), (5_000, 1_000)])
async def test_that_it_ends_soon_is_said_once_ahead_of_time(world: World, ttl: int, ahead: int) -> None:
    token = await issue(world, await service_account(world, "tickets.read"), ttl)
    world.clock.forward(ttl - ahead - 2)
    assert await tell_of_end(token.token_id, SYSTEM, world.ports) is False
    world.clock.forward(2)
    assert [await tell_of_end(token.token_id, SYSTEM, world.ports) for _ in range(3)] == [True, False, False]
    assert len(world.happened(ServiceTokenExpiresSoon)) == 1
    await identify_machine(await world.claims(token.token), world.ports)


async def test_nothing_is_said_of_one_that_is_revoked_or_over_or_of_minutes(world: World) -> None:
    client_id = await service_account(world, "tickets.read")
    revoked, over = await issue(world, client_id), await issue(world, client_id)
    await revoke_service_token(RevokeServiceToken(token_id=revoked.token_id), SYSTEM, world.ports)
    world.clock.forward(DAYS_90)
    for token_id in (revoked.token_id, over.token_id, TokenId(uuid4())):
        assert await tell_of_end(token_id, SYSTEM, world.ports) is False
    assert world.happened(ServiceTokenExpiresSoon) == []


async def test_the_key_that_signed_it_verifies_as_long_as_it_lives(world: World) -> None:
    """Turning the key twice a day does not end what was issued for weeks."""
    token = await issue(world, await service_account(world))
    claims = await world.claims(token.token)
    for _ in range(3):
        await rotate_signing_key(RotateSigningKey(), SYSTEM, world.ports)
    state = await world.state(signing_key.decider, signing_key.stream(Kid(claims.kid)))
    assert isinstance(state, signing_key.Retiring)
    assert state.verify_until > token.expires_at
    world.clock.forward(DAYS_90 - 60)
    await world.keyring.refresh()
    await identify_machine(await world.claims(token.token), world.ports)


async def test_a_shorter_one_after_a_longer_moves_no_end(world: World) -> None:
    client_id = await service_account(world)
    await issue(world, client_id)
    await issue(world, client_id, ttl=86_400)
    assert len(world.happened(SigningKeyPledged)) == 1


async def test_it_dies_with_its_key_when_that_is_revoked(world: World) -> None:
    token = await issue(world, await service_account(world))
    claims = await world.claims(token.token)
    await revoke_signing_key(RevokeSigningKey(kid=Kid(claims.kid)), SYSTEM, world.ports)
    with pytest.raises(InvalidToken):
        await identify_machine(claims, world.ports)


async def test_a_key_turned_while_it_was_signed_signs_it_anew(world: World) -> None:
    client_id = await service_account(world)
    world.store.overtake = lambda _: rotate_signing_key(RotateSigningKey(), SYSTEM, world.ports)
    token = await issue(world, client_id)
    claims = await world.claims(token.token)
    state = await world.state(signing_key.decider, signing_key.stream(Kid(claims.kid)))
    assert isinstance(state, signing_key.Active)
    await identify_machine(claims, world.ports)


async def test_only_registered_live_service_accounts_and_their_audiences_get_one(world: World) -> None:
    with pytest.raises(NoSuchServiceAccount):
        await issue(world, ClientId("client_nobody"))
    client_id = await service_account(world, audiences=("tasks",))
    with pytest.raises(AudienceNotAllowed):
        await issue(world, client_id, audience="notes")
    await disable_service_account(DisableServiceAccount(client_id=client_id), SYSTEM, world.ports)
    with pytest.raises(NoSuchServiceAccount):
        await issue(world, client_id)
    with pytest.raises(NoSuchToken):
        await revoke_service_token(RevokeServiceToken(token_id=TokenId(world.ports.random.uuid7())), SYSTEM, world.ports)
