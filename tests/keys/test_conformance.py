"""The service's own verifier against the vectors that every SDK is held against."""

from typing import Any

import msgspec
import pytest

from adapters.access_tokens import AccessTokenVerifier
from adapters.jwk import Verifier, public_key
from domain.errors import InvalidToken
from domain.ids import Kid
from domain.signing_key import Algorithm, PublicJwk
from minos_sdk.conformance.vectors_of import Case, cases_in

CASES = [case for case in cases_in() if "service" in case.applies]


class KeysOfVectors:
    """A keyring that has the public halves alone."""

    def __init__(self, key_set: dict[str, Any]) -> None:
        self._keys = {jwk["kid"]: Verifier(Kid(jwk["kid"]), Algorithm(jwk["alg"]), _public(jwk)) for jwk in key_set["keys"]}

    async def verifier(self, kid: str) -> Verifier | None:
        return self._keys.get(kid)


def _public(jwk: dict[str, Any]) -> Any:
    return public_key(msgspec.convert({name: jwk[name] for name in jwk if name not in ("kid", "alg", "use")}, PublicJwk))


@pytest.mark.parametrize("file", ["tokens", "forged-tokens"])
async def test_the_service_does_as_the_vectors_say(file: str) -> None:
    assert [case.name for case in CASES if case.name.startswith(f"{file}:") and not await passes(case)] == []


async def passes(case: Case) -> bool:
    configured = case.steps[0]
    now = configured["now"]
    keys: Any = KeysOfVectors(configured["access_keys"])
    verifier = AccessTokenVerifier(keys, issuer=configured["issuer"], clock=lambda: now)
    for step in case.steps:
        now = step.get("now", now)
        if step["op"] == "token" and await verdict(verifier, step["token"], configured["audience"]) != step["expect"]["verdict"]:
            return False
    return True


async def verdict(verifier: AccessTokenVerifier, token: str, audience: str) -> str:
    try:
        await verifier.verify(token, audiences=[audience])
    except InvalidToken:
        return "refuse"
    return "accept"


def test_the_vectors_are_for_the_service_too() -> None:
    assert len(CASES) > 200
