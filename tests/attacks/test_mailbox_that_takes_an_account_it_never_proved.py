"""Somebody reads a mailbox whose address an administrator or an import named, perhaps by a slip, and nobody ever proved.

Only what a stranger may have opened for himself falls to the mailbox with everything in it (threats.md 2); what its holder was given
keeps its second factor, its keys and its password.
"""

from dataclasses import dataclass

import pytest

from commands.api_keys import MakeApiKey, make_own_key
from commands.bootstrap import CreateAdministrator, create_administrator
from commands.forgot_password import begin_reset
from commands.import_user import ImportUser, import_user
from commands.ports import MailToken, MailTokenKind
from commands.reset_password import CheckReset, ResetPassword, check_reset, reset_password
from commands.sign_in_challenge import FactorRequired
from commands.token_answer import SignedIn
from commands.verify_email import VerifyEmail, unproved_account, verify_email
from domain import api_key, factors
from domain.errors import NewPasswordNotTaken, SecondFactorRequired
from domain.ids import KeyId, UserId
from tests.attacks.test_reset_that_skips_the_second_factor import NEW, link
from tests.commands.authenticator import Telephone, enrolled
from tests.commands.conftest import hasher, world
from tests.commands.world import ANYBODY, PASSWORD, SYSTEM, World

__all__ = ["hasher", "world"]


@dataclass(frozen=True)
class Ada:
    """Her account, with a telephone and a key, as it stands when somebody else reads the mailbox."""

    user_id: UserId
    telephone: Telephone
    key_id: KeyId


async def given(world: World, way: str) -> Ada:
    if way == "import":
        encoded = await world.ports.hasher.hash(PASSWORD)
        await import_user(ImportUser(email="ada@example.org", password_hash=encoded), SYSTEM, world.ports)
    else:
        await create_administrator(CreateAdministrator(email="ada@example.org", password=PASSWORD), SYSTEM, world.ports)
    signed_in = await world.sign_in("ada")
    ctx = await world.ctx(signed_in)
    key_id = (await make_own_key(MakeApiKey(name="robot"), ctx, world.ports)).result.key_id
    return Ada(signed_in.user_id, await enrolled(ctx, world), key_id)


async def keeps_everything(world: World, ada: Ada) -> bool:
    has_factor = (await world.state(factors.decider, factors.stream(ada.user_id))).totp is not None
    return has_factor and isinstance(await world.state(api_key.decider, api_key.stream(ada.key_id)), api_key.Live)


async def proof(world: World, ada: Ada) -> str:
    account = await world.account(ada.user_id)
    expires_at = int(world.clock.timestamp()) + 60
    return world.ports.mail_tokens.make(
        MailToken(kind=MailTokenKind.VERIFY, subject=ada.user_id, about=account.email_claim, expires_at=expires_at)
    )


async def test_a_reset_of_whom_was_imported_asks_for_the_factor_and_takes_nothing_away(world: World) -> None:
    ada = await given(world, "import")
    world.clock.forward(60)  # the next code
    token = await link(world)
    assert (await check_reset(CheckReset(token=token), world.ports)).factor_required
    with pytest.raises(SecondFactorRequired):
        await reset_password(ResetPassword(token=token, new_password=NEW), ANYBODY, world.ports)
    assert await keeps_everything(world, ada)
    await reset_password(ResetPassword(token=token, new_password=NEW, code=ada.telephone.code()), ANYBODY, world.ports)
    assert await keeps_everything(world, ada)
    assert isinstance(await world.show_password("ada", NEW), FactorRequired)


@pytest.mark.parametrize("way", ["import", "bootstrap"])
async def test_a_link_to_prove_the_address_proves_it_and_nothing_else(world: World, way: str) -> None:
    ada = await given(world, way)
    with pytest.raises(NewPasswordNotTaken):
        await verify_email(VerifyEmail(token=await proof(world, ada), new_password=NEW), ANYBODY, world.ports)
    assert not (await world.account(ada.user_id)).email_verified
    before = await world.account(ada.user_id)
    await verify_email(VerifyEmail(token=await proof(world, ada)), ANYBODY, world.ports)
    after = await world.account(ada.user_id)
    assert after.email_verified
    assert (after.password_version, after.token_epoch) == (before.password_version, before.token_epoch)
    assert await keeps_everything(world, ada)


async def test_no_link_goes_to_an_address_an_administrator_named_until_its_holder_proves_it(world: World) -> None:
    ada = await given(world, "bootstrap")
    assert await begin_reset("ada@example.org", world.ports.random.uuid7(), SYSTEM, world.ports) is None
    assert await unproved_account("ada@example.org", world.ports) is None, "asked for by a stranger"
    await verify_email(VerifyEmail(token=await proof(world, ada)), ANYBODY, world.ports)
    assert await begin_reset("ada@example.org", world.ports.random.uuid7(), SYSTEM, world.ports) is not None


async def test_whom_was_imported_without_a_proof_comes_in_by_a_reset(world: World) -> None:
    encoded = await world.ports.hasher.hash(PASSWORD)
    await import_user(ImportUser(email="ada@example.org", password_hash=encoded), SYSTEM, world.ports)
    await reset_password(ResetPassword(token=await link(world), new_password=NEW), ANYBODY, world.ports)
    assert isinstance(await world.sign_in("ada", NEW), SignedIn)
