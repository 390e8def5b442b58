"""What people do with their accounts, each a life from signing in to its end. Commands are repeated until they are answered."""

import secrets
import time
from base64 import b32decode
from time import monotonic
from typing import Any

import jwt

from bench.soak.acknowledged import effect
from bench.soak.clients import GRACE_S, PASSWORD, ROLE, Account, Client, Strange
from domain import totp

REFRESHES = 6
A_FEW = 10


async def ordinary(client: Client, who: Account) -> None:
    """A role, a session with refreshes, the role taken away, signed out."""
    await role(client, who, given=True)
    await sign_in(client, who, client.audience)
    for _ in range(REFRESHES):
        await refresh(client, who)
    _rights_are(client, who, held=True)
    await role(client, who, given=False)
    if client.service is not None:
        client.service.role_taken(who.token, ROLE)
    await refresh(client, who)
    _rights_are(client, who, held=False)
    await sign_out(client, who)


async def with_second_factor(client: Client, who: Account) -> None:
    """Codes of a telephone are set up; whoever signs in then shows a recovery code, another one for each try."""
    await sign_in(client, who)
    answer, lost = await client.until_answered("POST", "/me/factors/totp", None, who.bearer)
    secret = client.expect(answer, 201, excused=bool(lost)).json()["secret"]
    code = totp.code_at(b32decode(secret), int(time.time()) // totp.STEP)
    answer, lost = await client.until_answered("POST", "/me/factors/totp/confirm", {"code": code}, who.bearer)
    codes = client.expect(answer, 200, excused=bool(lost)).json()["recovery_codes"]
    client.told.done("factors.totp_confirmed.v1", f"factors-{who.user_id}")
    for code in codes[:3]:
        answer, _ = await client.until_answered("POST", "/auth/login", {"email": who.email, "password": PASSWORD})
        asked = client.expect(answer, 200).json()
        shown = {"challenge": asked["challenge"], "factor": "recovery_code", "code": code}
        heard = await client.once("POST", "/auth/login/factor", shown)
        if heard is not None:
            _signed_in(client, who, client.expect(heard, 200).json())
            await sign_out(client, who)


async def everywhere(client: Client, who: Account) -> None:
    """Several sessions end by one command, whose own goes on."""
    elsewhere = Account(who.email, who.user_id)
    await sign_in(client, elsewhere, client.audience)
    await sign_in(client, who)
    answer, lost = await client.until_answered("DELETE", "/me/sessions", None, who.bearer)
    who.tokens = client.expect(answer, 200, excused=bool(lost)).json()
    if not lost:
        client.told.done("user.signed_out_everywhere.v1", f"user-{who.user_id}")
    await is_out(client, elsewhere, "signed out everywhere")
    await sign_out(client, who)


async def suspended(client: Client, who: Account) -> None:
    """Suspended, refused, reinstated; what was signed in before stays out."""
    await sign_in(client, who, client.audience)
    await _administer(client, who, "suspend", {"reason": "administrative"}, "user.suspended.v1")
    await is_out(client, who, "suspended")
    answer, _ = await client.until_answered("POST", "/auth/login", {"email": who.email, "password": PASSWORD})
    client.expect(answer, 401)
    await _administer(client, who, "reinstate", None, "user.reinstated.v1")
    await is_out(client, who, "suspended and back")
    await sign_in(client, who)


async def with_key(client: Client, who: Account) -> None:
    """An API key is made and revoked."""
    await sign_in(client, who)
    once = {**who.bearer, "Idempotency-Key": secrets.token_urlsafe(24)}
    answer, lost = await client.until_answered("POST", "/me/api-keys", {"name": "script"}, once)
    key_id = client.expect(answer, 201, excused=bool(lost)).json()["key_id"]
    client.told.done("api_key.made.v1", f"api_key-{key_id}")
    answer, lost = await client.until_answered("DELETE", f"/me/api-keys/{key_id}", None, who.bearer)
    client.expect(answer, 204, *([404, 409] if lost else []))
    client.told.done("api_key.revoked.v1", f"api_key-{key_id}")


async def erased(client: Client, who: Account) -> None:
    """Asked to be erased by an administrator; the eraser does it when the time to think better of it is over. A few: it takes minutes."""
    if client.told.kinds().get("erasure.asked.v1", 0) >= A_FEW:
        return
    await sign_in(client, who, client.audience)
    answer, lost = await client.until_answered("POST", f"/users/{who.user_id}/erase", {"asked_by": "law"}, client.admin.bearer)
    client.expect(answer, 202, excused=bool(lost))
    client.told.done("erasure.asked.v1", f"erasure-{who.user_id}")


async def refused(client: Client, who: Account) -> None:
    """Somebody without the right tries to suspend an account, their own."""
    await sign_in(client, who)
    answer, _ = await client.until_answered("POST", f"/users/{who.user_id}/suspend", {"reason": "abuse"}, who.bearer)
    client.expect(answer, 403)
    client.told.refused.add(effect("user.suspended.v1", f"user-{who.user_id}"))
    await sign_out(client, who)


MIXED = (ordinary, with_second_factor, ordinary, everywhere, ordinary, suspended, ordinary, with_key, ordinary, refused, ordinary)
"""What is over as soon as it was acknowledged."""
ALL = (*MIXED, erased)


async def sign_in(client: Client, who: Account, audience: str | None = None) -> None:
    wish = {"email": who.email, "password": PASSWORD} | ({"audience": audience} if audience else {})
    answer, _ = await client.until_answered("POST", "/auth/login", wish)
    _signed_in(client, who, client.expect(answer, 200).json())
    if audience and client.service is not None:
        client.service.given(who.token)


def _signed_in(client: Client, who: Account, tokens: dict[str, Any]) -> None:
    who.tokens = tokens
    client.told.done("session.started.v1", f"session-{who.session_id}")


async def refresh(client: Client, who: Account) -> None:
    """Try with the same token until it is answered: the grace gives the same next one. Past the grace the family may end."""
    began = monotonic()
    answer, lost = await client.until_answered("POST", "/auth/refresh", {"refresh_token": who.tokens["refresh_token"]})
    took = monotonic() - began
    late = bool(lost) and took > GRACE_S
    if late:
        client.told.late.add(who.session_id)
    about = f"session {who.session_id}, {lost} answers lost in {took:.1f} s:"
    who.tokens = client.expect(answer, 200, excused=late, about=about).json()
    _, generation, *_ = who.tokens["refresh_token"].removeprefix("mrt_").split(".")
    client.told.done("session.token_issued.v1", f"session-{who.session_id}", int(generation))


async def sign_out(client: Client, who: Account) -> None:
    """Who was told 401 after a lost answer knows that the session is over."""
    answer, lost = await client.until_answered("POST", "/auth/logout", {}, who.bearer)
    client.expect(answer, 204, *([401] if lost else []))
    client.told.done("session.revoked.v1", f"session-{who.session_id}")
    await is_out(client, who, "signed out")


async def is_out(client: Client, who: Account, why: str) -> None:
    """Once it was acknowledged that a session is over, Minos never says otherwise; services have to hear of it."""
    if client.service is not None and _claims(who)["aud"] == client.audience:
        client.service.ended(who.token, why)
    heard = await client.once("GET", "/auth/session", None, who.bearer)
    if heard is not None:
        client.expect(heard, 401)


async def role(client: Client, who: Account, *, given: bool) -> None:
    client.told.roles[who.user_id] = None
    path = f"/users/{who.user_id}/roles/{ROLE}"
    answer, _ = await client.until_answered("PUT" if given else "DELETE", path, None, client.admin.bearer)
    client.expect(answer, 204)
    client.told.roles[who.user_id] = given
    client.told.done("user.role_granted.v1" if given else "user.role_revoked.v1", f"user-{who.user_id}")


def _rights_are(client: Client, who: Account, *, held: bool) -> None:
    """A token made after a role was given or taken says so."""
    roles = _claims(who)["roles"]
    if (ROLE in roles) is not held:
        client.told.wrong.append(f"a token made after the role was {'given' if held else 'taken'} says {roles}")
        raise Strange


def _claims(who: Account) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(who.token, options={"verify_signature": False})
    return claims


async def _administer(client: Client, who: Account, what: str, body: object, kind: str) -> None:
    answer, _ = await client.until_answered("POST", f"/users/{who.user_id}/{what}", body, client.admin.bearer)
    client.expect(answer, 204)
    client.told.done(kind, f"user-{who.user_id}")
