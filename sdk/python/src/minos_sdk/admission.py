"""Which credentials a service takes, what judges them, and what it knows of its caller then."""

from contextlib import AbstractAsyncContextManager
from time import time
from typing import Protocol

from minos_sdk import given
from minos_sdk.answers import Scope
from minos_sdk.credentials import Credential
from minos_sdk.errors import InvalidToken, Unauthenticated
from minos_sdk.identity import Identity
from minos_sdk.policies import BlindPolicy, check_policy
from minos_sdk.rules import Rule

CALLER = "minos.caller"
"""Where in the scope the `Caller` is."""
_MOST_REMEMBERED = 32
"""Rules of one caller: more than any route has."""


class Ended(Protocol):
    """Set once an identity was revoked."""

    def is_set(self) -> bool: ...

    async def wait(self) -> object: ...


class Verifies(Protocol):
    """What `Verifier` does, as far as it is asked here."""

    async def verify(self, token: str, *, on_blind: BlindPolicy | None = None) -> Identity:
        """Raises InvalidToken, Unavailable."""
        ...

    def watching(self, identity: Identity) -> AbstractAsyncContextManager[Ended]:
        """Give what is set as soon as this identity is revoked."""
        ...


class IdentifiesKeys(Protocol):
    """What `ApiKeys` does."""

    async def identify(self, key: str) -> Identity:
        """Raises InvalidToken, Unavailable."""
        ...


class NotInstalled(RuntimeError):
    """A rule was asked about a request that never passed the middleware: nobody is let through then."""


class Admission:
    """`api_keys` lets keys in besides tokens, `bearer=False` keys alone. `on_blind` is meant where the verifier's own policy is not."""

    def __init__(
        self, verifier: Verifies, *, api_keys: IdentifiesKeys | None = None, bearer: bool = True, on_blind: BlindPolicy | None = None
    ) -> None:
        given.able("verifier", verifier, "verify", "watching", wanted="a Verifier(...) or GatewayVerifier(...)")
        given.flags(bearer=bearer)
        if api_keys is not None:
            given.able("api_keys", api_keys, "identify", wanted="ApiKeys(...)")
            given.alike(verifier=verifier, api_keys=api_keys)
        if not bearer and api_keys is None:
            raise ValueError("neither bearer tokens nor API keys: nobody could call")
        check_policy(on_blind, optional=True)
        self.verifier = verifier
        self._api_keys = api_keys
        self._bearer = bearer
        self._on_blind = on_blind

    async def identify(self, credential: Credential, on_blind: BlindPolicy | None = None) -> Identity:
        """Raises InvalidToken, Unavailable."""
        if credential.kind == "bearer" and self._bearer:
            return await self.verifier.verify(credential.text, on_blind=self._on_blind if on_blind is None else on_blind)
        if credential.kind == "api_key" and self._api_keys is not None:
            return await self._api_keys.identify(credential.text)
        raise InvalidToken


class Caller:
    """Who is calling, as the middleware found out. `identity` is None where nobody has to say."""

    __slots__ = ("_admission", "_credential", "_let_in_by", "identity")

    def __init__(self, admission: Admission, credential: Credential | None = None, identity: Identity | None = None) -> None:
        self.identity = identity
        self._credential = credential
        self._admission = admission
        self._let_in_by: dict[tuple[int, int], tuple[Rule | None, BlindPolicy | None, float]] = {}

    async def again(self, on_blind: BlindPolicy | None = None) -> Identity | None:
        """Judge the same credential as of now, by a stricter policy if one is named. Raises InvalidToken, Unavailable."""
        if self._credential is not None:
            self.identity = await self._admission.identify(self._credential, on_blind)
        return self.identity

    async def admit(self, rule: Rule | None, on_blind: BlindPolicy | None) -> Identity:
        """Give who it is where the rule is kept. Raises Unauthenticated where nobody is, and what the rule refuses with."""
        identity = self.identity if on_blind is None else await self.again(on_blind)
        if identity is None:
            raise Unauthenticated
        now = time()
        if rule is not None:
            rule.require(identity, now=now)
        if len(self._let_in_by) < _MOST_REMEMBERED and not (rule is None and on_blind is None):
            self._let_in_by.setdefault((id(rule), id(on_blind)), (rule, on_blind, now))
        return identity

    async def stands(self) -> None:
        """Hold what is open against all that it was let in by. A proof that was fresh when it was opened is fresh enough.

        Raises as `again` and `admit` do.
        """
        await self.again()
        for rule, on_blind, at in tuple(self._let_in_by.values()):
            identity = self.identity if on_blind is None else await self.again(on_blind)
            if rule is not None:
                rule.require(identity, now=at)


def caller_of(scope: Scope) -> Caller:
    """Raises NotInstalled where no middleware has looked at this request."""
    caller = scope.get(CALLER)
    if not isinstance(caller, Caller):
        raise NotInstalled("MinosMiddleware has not seen this request")
    return caller


async def admitted(scope: Scope, rule: Rule | None = None, on_blind: BlindPolicy | None = None) -> Identity:
    """Give the caller of a request, who keeps the rule and is known by the stricter policy, if one is named.

    Raises Unauthenticated where nobody is, what the rule refuses with, and NotInstalled.
    """
    return await caller_of(scope).admit(rule, on_blind)
