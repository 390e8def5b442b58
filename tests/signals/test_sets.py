"""What a SET says, to the byte, and that nothing but a signals key signs it (RFC 8417, threats.md 14)."""

from uuid import UUID

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

from adapters.signal_sets import Beat, Feed, SignalSigner
from domain.api_key import ApiKeyRevoked
from domain.client_events import ClientTokensRevoked
from domain.event import Event
from domain.ids import CorrelationId, EventId
from domain.machine_token import TokenRevoked
from domain.role import RoleDefined
from domain.session_events import SessionRevoked
from domain.signing_key import SigningKeyRevoked
from domain.user_events import RoleGranted, UserSuspended
from tests.golden.examples import tag_of
from tests.signals.golden import BODIES
from tests.signals.one_key import ISSUER, OneKey
from tests.signals.told import example, told

EVENT = EventId(UUID("0192f0c1-0000-8000-8000-0000000eeee1"))
TXN = CorrelationId(UUID("0192f0c1-0000-7000-8000-00000000c0e1"))
ONE_OF_EACH_KIND = (
    SessionRevoked,
    UserSuspended,
    ClientTokensRevoked,
    SigningKeyRevoked,
    TokenRevoked,
    ApiKeyRevoked,
    RoleGranted,
    RoleDefined,
)


def body(event_type: type[Event]) -> bytes:
    (signal,) = told(example(event_type))
    return SignalSigner(OneKey(), ISSUER).body(signal, event_id=EVENT, txn=TXN)


def opened(token: str, keyring: OneKey) -> dict[str, object]:
    assert isinstance(keyring.public, EllipticCurvePublicKey)
    return jwt.decode(token, keyring.public, algorithms=["ES256"], options={"verify_aud": False})


@pytest.mark.parametrize("event_type", ONE_OF_EACH_KIND)
def test_a_body_is_written_as_on_its_first_day(event_type: type[Event]) -> None:
    assert body(event_type).decode() == BODIES[tag_of(event_type)]


def test_each_kind_of_fact_has_golden_bytes() -> None:
    assert len({msgspec.json.decode(text)["minos"]["kind"] for text in BODIES.values()}) == 8


async def test_a_set_is_its_body_with_when_and_where_it_stands() -> None:
    keyring = OneKey()
    signer = SignalSigner(keyring, ISSUER, clock=lambda: 1_700_000_000.9)
    token = await signer.sign(body(SessionRevoked), Feed(of_class="access", epoch=1, count=123))
    assert jwt.get_unverified_header(token) == {"alg": "ES256", "kid": keyring.key.kid, "typ": "secevent+jwt"}
    assert opened(token, keyring) == {
        "iat": 1_700_000_000, **msgspec.json.decode(body(SessionRevoked)), "feed": {"class": "access", "epoch": 1, "count": 123}
    }  # fmt: skip


async def test_a_hint_says_nothing_of_a_feed() -> None:
    keyring = OneKey()
    assert "feed" not in opened(await SignalSigner(keyring, ISSUER).sign(body(SessionRevoked)), keyring)


async def test_a_set_is_no_token_of_any_other_kind() -> None:
    keyring = OneKey()
    claims = opened(await SignalSigner(keyring, ISSUER).sign(body(UserSuspended)), keyring)
    assert not {"sub", "exp", "aud", "scope"} & set(claims)


async def test_a_heartbeat_states_no_fact() -> None:
    keyring = OneKey()
    beat = Beat(of_class="roles.tasks", epoch=2, count=3, sequence=4, beat=5, complete_to=6, state="running")
    claims = opened(await SignalSigner(keyring, ISSUER, clock=lambda: 7.0).heartbeat(beat), keyring)
    assert claims.pop("jti")
    assert claims == {
        "iat": 7,
        "iss": ISSUER,
        "events": {"urn:minos:event:heartbeat": {}},
        "feed": {"class": "roles.tasks", "epoch": 2, "count": 3, "sequence": 4, "beat": 5, "complete_to": 6, "state": "running"},
    }


async def test_a_heartbeat_carries_the_newest_checkpoint_where_there_is_one() -> None:
    keyring = OneKey()
    beat = Beat(of_class="access", epoch=2, count=3, sequence=4, beat=5, complete_to=6, state="running", checkpoint="a note\n")
    feed = opened(await SignalSigner(keyring, ISSUER).heartbeat(beat), keyring)["feed"]
    assert feed == msgspec.to_builtins(beat)
    assert msgspec.to_builtins(beat)["checkpoint"] == "a note\n"


def test_another_event_of_the_same_subject_is_another_set() -> None:
    (signal,) = told(example(SessionRevoked))
    signer = SignalSigner(OneKey(), ISSUER)
    ids = {msgspec.json.decode(signer.body(signal, event_id=EventId(UUID(int=n)), txn=TXN))["jti"] for n in (1, 2, 2)}
    assert len(ids) == 2
