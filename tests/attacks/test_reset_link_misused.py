"""A reset link is used again, after a newer one, for another account, or made up."""

from collections.abc import Callable

import msgspec
import pytest

from adapters.base64url import from_text, to_text
from commands.reset_password import ResetPassword, reset_password
from commands.verify_email import VerifyEmail, verify_email
from domain.errors import MailTokenInvalid
from domain.ids import UserId
from tests.attacks.mailed import *  # noqa: F403 - fixtures
from tests.mail.conftest import ANYBODY, Office
from tests.mail.test_reset_password import NEW, forget, reset

__all__ = ["NEW", "forget", "reset"]


async def test_a_link_works_once(office: Office) -> None:
    await office.register()
    await forget(office)
    await reset(office, office.token())
    with pytest.raises(MailTokenInvalid):
        await reset(office, office.token(), "the thief's own password")
    await office.sign_in(password=NEW)


async def test_a_newer_link_kills_the_one_before(office: Office) -> None:
    await office.register()
    await forget(office)
    await forget(office)
    older, newer = (office.token(n) for n, subject in enumerate(office.subjects()) if "new password" in subject)
    with pytest.raises(MailTokenInvalid):
        await reset(office, older)
    await reset(office, newer)


async def test_a_link_of_one_account_opens_no_other(office: Office) -> None:
    eve = await office.register("eve@example.org")
    ada = await office.register("ada@example.org")
    await forget(office, "eve@example.org")
    token = office.token()
    raw = bytearray(from_text(token.removeprefix("mlt_")) or b"")
    raw[3:19] = ada.bytes
    with pytest.raises(MailTokenInvalid):
        await reset(office, f"mlt_{to_text(bytes(raw))}")
    genuine = office.ports.mail_tokens.read(token)
    assert genuine is not None
    assert UserId(genuine.subject) == eve
    with pytest.raises(MailTokenInvalid):  # even one that we ourselves had signed
        await reset(office, office.ports.mail_tokens.make(msgspec.structs.replace(genuine, subject=ada)))


async def test_a_link_to_prove_an_address_sets_no_password_of_a_proved_one_nor_the_other_way_round(office: Office) -> None:
    await office.register()
    await office.work()
    with pytest.raises(MailTokenInvalid):
        await reset_password(ResetPassword(token=office.token(), new_password=NEW), ANYBODY, office.ports)
    await forget(office)
    with pytest.raises(MailTokenInvalid):
        await verify_email(VerifyEmail(token=office.token(), new_password=NEW), ANYBODY, office.ports)


CHANGED: dict[str, Callable[[str], str]] = {
    "shorter": lambda token: token[:-1],
    "longer": lambda token: f"{token}A",
    "another kind": lambda token: token.replace("mlt_", "mrt_"),
    "other letters": str.swapcase,
    "nothing": lambda _: "mlt_",
}


@pytest.mark.parametrize("change", CHANGED)
async def test_what_is_not_exactly_the_token_is_none(office: Office, change: str) -> None:
    await office.register()
    await forget(office)
    with pytest.raises(MailTokenInvalid):
        await reset(office, CHANGED[change](office.token()))
