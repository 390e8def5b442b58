"""Using up an action token: for one action, in one session, for the very request it came with, once (threats.md 5)."""

import logging
from collections.abc import Mapping
from typing import Any, Protocol, Self
from urllib.parse import quote

import httpx

from minos_sdk import calls, given
from minos_sdk.answers import Scope
from minos_sdk.call_errors import CallFailed, CallRefused
from minos_sdk.codes import Code
from minos_sdk.drivers import AsyncDriver
from minos_sdk.errors import MinosError, Unauthenticated
from minos_sdk.identity import Identity
from minos_sdk.ports import was_refused
from minos_sdk.refusals import ActionTokenInvalid, ActionTokenRequired, ActionTokenUsed, CredentialUnknown, PermissionDenied
from minos_sdk.steps import Plan, Retries, answered, granted

HEADER = "x-action-token"
AT_MINOS = "minos"
_log = logging.getLogger("minos_sdk")
_REFUSED: Mapping[str, type[MinosError]] = {Code.ACTION_TOKEN_INVALID: ActionTokenInvalid, Code.ACTION_TOKEN_USED: ActionTokenUsed}
_LONGEST = 2_048
_ACTION = given.Shape(f"{given.SLUG.pattern}:{given.SLUG.pattern}", "as orders:refund")


class OwnTokens(Protocol):
    """What `ServiceTokens` does."""

    async def token(self, audience: str) -> str: ...


class ActionTokens:
    """Used up as this service's own account, which is a verifier of its actions and has `minos` among its audiences.

    `tokens`: where the account's tokens come from, `ServiceTokens`.
    """

    def __init__(self, issuer: str, tokens: OwnTokens, *, http: httpx.AsyncClient | None = None) -> None:
        given.able("tokens", tokens, "token", wanted="where this service's own tokens come from: ServiceTokens(issuer, credentials)")
        self._driver = AsyncDriver(issuer, http)
        self._tokens = tokens

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def consume(
        self, token: str | None, action: str, identity: Identity | None, *, method: str, path: str, body: bytes | None
    ) -> Mapping[str, Any]:
        """Use it up for this request: when this returns the action is this caller's to do, once.

        Asked once only. Where the answer is lost the token may be used up, and the action must not be done: CredentialUnknown. Raises
        ActionTokenRequired, ActionTokenInvalid, ActionTokenUsed, PermissionDenied for who is no person in a session.
        """
        if identity is None:
            raise Unauthenticated
        if identity.principal != "user" or identity.session_id is None:
            raise PermissionDenied("a person's own session")
        if not token:
            raise ActionTokenRequired
        if len(token) > _LONGEST:
            raise ActionTokenInvalid
        wanted = {"action_token": token, "action": action, "session_id": identity.session_id, **calls.bound(method, path, body)}
        try:
            consumed = await self._consumed(wanted)
        except CallFailed as failed:
            raise _refusal(failed) from None
        if consumed.get("session_id") != identity.session_id or consumed.get("action") != action:
            raise CredentialUnknown
        return consumed

    async def close(self) -> None:
        await self._driver.close()

    async def _consumed(self, wanted: Mapping[str, str]) -> Mapping[str, Any]:
        """Once more where this service's own token was refused, which may be over before its time: then nothing was used up."""
        bearer = await self._tokens.token(AT_MINOS)
        try:
            consumed: Mapping[str, Any] = await self._driver.run(_consume(wanted, bearer))
        except CallRefused as failed:
            if failed.code != Code.INVALID_TOKEN or not await was_refused(self._tokens, AT_MINOS, bearer):
                raise
            consumed = await self._driver.run(_consume(wanted, await self._tokens.token(AT_MINOS)))
        return consumed


def check_actions(actions: object) -> None:
    if actions is not None:
        given.able("actions", actions, "consume", wanted="ActionTokens(issuer, tokens)")


def check_action(action: object, actions: ActionTokens | None) -> ActionTokens:
    """Give what uses action tokens up. Raises ValueError where nothing does, or for what is no action's name."""
    given.text("action", action, "an action of an audience", shape=_ACTION)
    if actions is None:
        raise ValueError("Minos(actions=ActionTokens(...)) is needed to use action tokens up")
    return actions


def asked_path(scope: Scope) -> str:
    """Give the path of a request with its query, as a client names it when it asks for a token: as it was sent.

    Read, `/files/a%3Fall=1` and `/files/a?all=1` would be one, and a token for either good for both.
    """
    raw: bytes | None = scope.get("raw_path")
    path = quote(str(scope["path"]), safe="/:@!$&'()*+,;=~") if raw is None else raw.partition(b"?")[0].decode("latin-1")
    query = scope.get("query_string", b"").decode("latin-1")
    return path + (f"?{query}" if query else "")


def _consume(wanted: Mapping[str, str], bearer: str) -> Plan[Any]:
    ask = calls.posting("/api/v1/auth/action-tokens/consume", wanted, bearer=bearer)
    return granted((yield from answered(ask, Retries(times=1))))


def _refusal(failed: CallFailed) -> MinosError:
    """What is wrong with the token is the caller's to hear; what is wrong with this service's own account is not."""
    if isinstance(failed, CallRefused):
        kind = _REFUSED.get(failed.code)
        if kind is not None:
            return kind()
        _log.error("Minos does not let this service use action tokens up: %s", failed.code)
    return CredentialUnknown()
