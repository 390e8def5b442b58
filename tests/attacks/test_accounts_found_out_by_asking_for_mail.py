"""Enumeration: what is asked for known and unknown addresses is answered alike, and costs the same calls of the same kinds."""

from dataclasses import replace
from typing import Any

from commands.begin_registration import begin_registration
from commands.forgot_password import ForgotPassword, forgot_password
from commands.register_user import RegisterUser
from commands.verify_email import ResendVerification, resend_to_address
from tests.api.conftest import Served
from tests.commands.conftest import hasher, world
from tests.commands.recording import Recording
from tests.commands.world import ANYBODY, World

__all__ = ["hasher", "world"]


def recorded(world: World, calls: list[str]) -> Any:
    names = ("store", "vault", "hasher", "guard", "mailbox")
    return replace(world.ports, **{name: Recording(name, getattr(world.ports, name), calls) for name in names})


async def test_no_call_looks_for_the_account(world: World) -> None:
    await world.register("known")
    done: list[list[str]] = []
    for name in ("known", "unknown"):
        calls: list[str] = []
        ports = recorded(world, calls)
        await forgot_password(ForgotPassword(email=f"{name}@example.org"), ANYBODY, ports)
        await resend_to_address(ResendVerification(email=f"{name}@example.org"), ANYBODY, ports)
        done.append(calls)
    assert done[0] == done[1] == ["mailbox.ask()", "mailbox.ask()"]


async def test_registering_makes_the_same_calls_for_every_address(world: World) -> None:
    await world.register("known")
    done: list[list[str]] = []
    for name in ("known", "unknown"):
        calls: list[str] = []
        wish = RegisterUser(email=f"{name}@example.org", password="over the hills and far away")
        await begin_registration(wish, ANYBODY, recorded(world, calls))
        done.append(calls)
    assert done[0] == done[1]
    assert not any(call.startswith(("store", "vault")) for call in done[0]), "somebody was looked for"


async def test_answers_are_alike_however_often_is_asked(served: Served) -> None:
    known = (await served.person(sign_in=False)).email
    for path in ("password/forgot", "email/resend"):
        for _ in range(5):
            answers = [await served.http.post(f"/api/v1/auth/{path}", json={"email": email}) for email in (known, f"not-{known}")]
            assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"accepted":true}')}
            kept = [{k: v for k, v in answer.headers.items() if k not in {"x-request-id", "ratelimit"}} for answer in answers]
            assert kept[0] == kept[1]
