"""Each call to Minos, as a plan: what is asked, whether it may be asked again, and what the answer means."""

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from minos_sdk import given
from minos_sdk.answers_of_minos import FactorRequired, Granted, TokenPair, Verdict, signed_in, token_pair, verdict
from minos_sdk.call_errors import SignedOut
from minos_sdk.client_credentials import ClientCredentials
from minos_sdk.held import Ending, within
from minos_sdk.ports import monotonic
from minos_sdk.steps import Answered, Ask, Plan, Retries, answered, granted, refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
WITHIN_GRACE = Retries(times=4, first_s=0.2, longest_s=1.0)
"""For a refresh: whoever asks again within ten seconds of a lost answer gets it a second time."""
_FORM = {"content-type": "application/x-www-form-urlencoded"}
_OVER = frozenset({"invalid_refresh_token", "refresh_token_reused", "session_ended"})


def check_client(audience: object, tokens: object, on_tokens: object, retries: object) -> None:
    if audience is not None:
        given.audience("audience", audience)
    if tokens is not None:
        given.one_of("tokens", tokens, TokenPair, "a TokenPair")
    if on_tokens is not None:
        given.function("on_tokens", on_tokens)
    if retries is not None:
        given.one_of("retries", retries, Retries, "Retries(...)")


def check_service(credentials: object, retries: object, scope: object = ()) -> None:
    given.able("credentials", credentials, "proof", wanted="how this service proves itself: ClientSecret(...) or ClientKey(...)")
    given.texts("scope", scope, given.SCOPE)
    if retries is not None:
        given.one_of("retries", retries, Retries, "Retries(...)")


def login(names: Mapping[str, str], retries: Retries) -> Plan[TokenPair | FactorRequired]:
    """Never asked twice: each is counted as a try."""
    answer = yield from answered(posting("/api/v1/auth/login", names), retries)
    return signed_in(granted(answer))


def complete_login(challenge: str, factor: str, code: str, retries: Retries) -> Plan[TokenPair | FactorRequired]:
    body = {"challenge": challenge, "factor": factor, "code": code}
    answer = yield from answered(posting("/api/v1/auth/login/factor", body), retries)
    return signed_in(granted(answer))


def refresh(held: Ending[TokenPair] | None, audience: str | None = None) -> Plan[Ending[TokenPair]]:
    """Raises SignedOut where the session is over, and Unreachable, after which the same token may be tried again."""
    if held is None:
        raise SignedOut
    asked_at = monotonic()
    body = {"refresh_token": held.value.refresh_token} | ({} if audience is None else {"audience": audience})
    ask = posting("/api/v1/auth/refresh", body, safe=True)
    answer = yield from answered(ask, WITHIN_GRACE)
    if answer.status == 401 and refused(answer).code in _OVER:
        raise SignedOut("The session is over.")
    pair = token_pair(granted(answer))
    return within(pair, pair.expires_in, asked_at=asked_at)


def client_token(
    credentials: ClientCredentials, issuer: str, audience: str, scope: Sequence[str], retries: Retries
) -> Plan[Ending[Granted]]:
    """Repeats are safe: a token more is no event. An assertion is good once, so each try has one of its own."""
    form = {"grant_type": "client_credentials", "audience": audience} | ({"scope": " ".join(scope)} if scope else {})
    asked_at = monotonic()
    answer = yield from _proved("/oauth2/token", form, credentials, issuer, retries)
    told = granted(answer)
    token = Granted(told["access_token"], told["expires_in"], told.get("scope", ""))
    return within(token, token.expires_in, asked_at=asked_at)


def introspect(token: str, credentials: ClientCredentials, issuer: str, retries: Retries) -> Plan[Mapping[str, Any]]:
    """What a token or key is worth at this moment (RFC 7662)."""
    answer = yield from _proved("/oauth2/introspect", {"token": token}, credentials, issuer, retries)
    told: Mapping[str, Any] = granted(answer)
    return told


def check(questions: Sequence[Mapping[str, str]], bearer: str, retries: Retries) -> Plan[Answered]:
    """May the caller do these, now? Answered on the roles as they are; changes nothing, so it may be asked again."""
    return answered(posting("/api/v1/permissions/check", {"checks": list(questions)}, bearer=bearer, safe=True), retries)


def verdicts(answer: Any) -> Sequence[Verdict]:
    return [verdict(each) for each in answer["checks"]]


def bound(method: str, path: str, body: bytes | None) -> dict[str, str]:
    """Name one request, as an action token is bound to it: `path` with its query, both as they are sent, the body by its digest."""
    named = {"method": method, "path": path}
    return named | ({"parameters": digest(body)} if body else {})


def digest(body: bytes) -> str:
    """SHA-256 in base64url."""
    return base64.urlsafe_b64encode(hashlib.sha256(body).digest()).decode().rstrip("=")


def named(**fields: str | None) -> dict[str, str]:
    """Leave out what was not said."""
    return {name: value for name, value in fields.items() if value is not None}


def of_now(pair: TokenPair) -> Ending[TokenPair]:
    """A pair that was just given."""
    return within(pair, pair.expires_in, asked_at=monotonic())


def of_before(pair: TokenPair) -> Ending[TokenPair]:
    """A pair that was kept somewhere: its refresh token may be good, its access token may have ended."""
    return within(pair, 0, asked_at=monotonic())


def request(
    method: str, path: str, bearer: str, retries: Retries, *, body: object = None, query: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None, repeatable: bool = False,
) -> Plan[Answered]:  # fmt: skip
    """Any call. `repeatable` sends an Idempotency-Key, with which a POST that creates may be asked again."""
    if not path.startswith("/") or path.startswith("//"):
        raise ValueError("a path at Minos begins with one slash: no token goes elsewhere")
    sent = {**(headers or {}), "authorization": f"Bearer {bearer}"}
    if repeatable:
        sent["idempotency-key"] = secrets.token_urlsafe(24)
    raw = None if body is None else json.dumps(body).encode()
    if raw is not None:
        sent["content-type"] = "application/json"
    known = {name: value for name, value in (query or {}).items() if value is not None}
    whole = path if not known else f"{path}?{urlencode(known)}"
    return (yield from answered(Ask(method, whole, sent, raw, safe=repeatable or method in SAFE_METHODS), retries))


def logout(bearer: str, *, everywhere: bool, retries: Retries) -> Plan[None]:
    """Safe to repeat: ending an ended session is no error. Nor is a token that is over already."""
    ask = posting("/api/v1/auth/logout", {"everywhere": everywhere}, bearer=bearer, safe=True)
    answer = yield from answered(ask, retries)
    if answer.status != 401 or everywhere:
        granted(answer)


def is_refused_token(answer: Answered) -> bool:
    """Tell whether a call was refused for its token alone: then nothing was done, and a new token may do."""
    return answer.status == 401 and refused(answer).code == "invalid_token"


def posting(path: str, body: object, *, bearer: str | None = None, safe: bool = False) -> Ask:
    headers = {"content-type": "application/json"} | ({} if bearer is None else {"authorization": f"Bearer {bearer}"})
    return Ask("POST", path, headers, json.dumps(body).encode(), safe=safe)


def _proved(path: str, form: Mapping[str, str], credentials: ClientCredentials, issuer: str, retries: Retries) -> Plan[Answered]:
    def ask() -> Ask:
        headers, fields = credentials.proof(issuer)
        return Ask("POST", path, {**_FORM, **headers}, urlencode({**form, **fields}).encode(), safe=True)

    return (yield from answered(ask, retries))
