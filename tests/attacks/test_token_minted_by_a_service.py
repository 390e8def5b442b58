"""A service signs a token itself, with a key that it has for good reason: nobody but the issuer makes tokens that count (M2M-12)."""

from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from adapters.base64url import to_text
from adapters.jwk import Signer, public_jwk, thumbprint
from domain.ids import Kid
from domain.signing_key import Algorithm
from minos_sdk import GatewayVerifier, InvalidToken, Verifier
from minos_sdk.testing import MemoryFeed, SettableClock
from tests.api.conftest import BASE, Person, Served
from tests.api.test_check import ask, at_orders
from tests.api.test_introspection import asked
from tests.api.test_oauth import robot

KEY = ec.generate_private_key(ec.SECP256R1())
JWK = public_jwk(KEY.public_key())


def members() -> dict[str, str]:
    return {"kty": "EC", "crv": "P-256", "x": str(JWK.x), "y": str(JWK.y)}


def minted(claims: dict[str, Any], *, typ: str, kid: str, **header: Any) -> str:
    """Written in the very bytes that ours is written in: nothing but the signature is wrong with it."""
    head = msgspec.json.encode({"alg": "ES256", "kid": kid, "typ": typ, **header})
    message = f"{to_text(head)}.{to_text(msgspec.json.encode(claims))}"
    return f"{message}.{to_text(Signer(Kid(kid), Algorithm.ES256, KEY).sign(message.encode()))}"


@pytest.mark.parametrize(
    "header",
    [{}, {"jwk": members()}, {"jku": "https://evil.example/jwks.json"}, {"x5u": "https://evil.example/chain.pem"}],
    ids=["as it is", "with its key", "with an address of its key", "with a chain"],
)
@pytest.mark.parametrize("named", ["its own key", "the issuer's key"])
async def test_a_token_that_a_service_signed_is_nobodys(served: Served, admin: Person, named: str, header: dict[str, Any]) -> None:
    one, person = await robot(admin, "orders.read"), await at_orders(served)
    registered = await admin.ask("POST", f"/service-accounts/{one.client_id}/keys", json={"algorithm": "ES256", "public": members()})
    assert registered.status_code in {201, 409}, registered.text
    genuine = jwt.decode(person.access, options={"verify_signature": False})
    kid = thumbprint(JWK) if named == "its own key" else jwt.get_unverified_header(person.access)["kid"]
    token = minted({**genuine, "exp": genuine["exp"] + 3_000, "roles": ["admin"]}, typ="at+jwt", kid=kid, **header)
    assert (await ask(served, token, audience="orders")).status_code == 401
    assert (await served.http.get("/api/v1/auth/session", headers={"Authorization": f"Bearer {token}"})).status_code == 401
    assert await asked(served, one, token) == {"active": False}
    verifier = Verifier(issuer=BASE, audience="orders", feed=MemoryFeed(SettableClock()), http=served.http)
    with pytest.raises(InvalidToken):
        await verifier.verify(token)


async def test_what_a_gateway_hands_on_is_signed_by_the_issuer_alone(served: Served, admin: Person) -> None:
    handed_on = (await ask(served, admin.access, audience="minos")).headers["minos-identity"]
    genuine = jwt.decode(handed_on, options={"verify_signature": False})
    gateway = GatewayVerifier(issuer=BASE, audience="minos", http=served.http)
    assert (await gateway.verify(handed_on)).subject == admin.user_id
    for kid in (thumbprint(JWK), jwt.get_unverified_header(handed_on)["kid"], jwt.get_unverified_header(admin.access)["kid"]):
        with pytest.raises(InvalidToken):
            await gateway.verify(minted(genuine, typ="minos-internal+jwt", kid=kid))
    head, body, _ = handed_on.split(".")
    for none in ("", to_text(b"\0" * 64)):
        with pytest.raises(InvalidToken):
            await gateway.verify(f"{head}.{body}.{none}")
