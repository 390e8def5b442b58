"""An issuer with a key of each kind, and cases written as steps."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from minos_sdk.jws import to_base64url
from minos_sdk.testing.clock import SettableClock
from minos_sdk.testing.keys import SigningKey, key_set
from minos_sdk.testing.signals import SignalFactory
from minos_sdk.testing.tokens import TokenFactory

ISSUER = "https://auth.example"
AUDIENCE = "shop"
NOW = 1_800_000_000
UNTIL = NOW + 3_600
SID, USER, OTHER = (f"0190a1b2-c3d4-7000-8000-00000000000{n}" for n in (1, 2, 3))
EVERYBODY = ("sdk", "service")
"""Who a case is for: SDKs, or the issuer's own verifier too, which takes no signals and no token in other bytes than its own."""

Step = dict[str, Any]


@dataclass(frozen=True)
class World:
    clock: SettableClock = field(default_factory=lambda: SettableClock(NOW))
    access: SigningKey = field(default_factory=SigningKey.new)
    rsa: SigningKey = field(default_factory=lambda: SigningKey.new("RS256"))
    pss: SigningKey = field(default_factory=lambda: SigningKey.new("PS256"))
    eddsa: SigningKey = field(default_factory=lambda: SigningKey.new("EdDSA"))
    signals_key: SigningKey = field(default_factory=SigningKey.new)
    internal_key: SigningKey = field(default_factory=SigningKey.new)
    stranger: SigningKey = field(default_factory=SigningKey.new)
    """Of nobody that is known."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "tokens", self.tokens_by(self.access))
        object.__setattr__(self, "signals", SignalFactory(issuer=ISSUER, key=self.signals_key, clock=self.clock))

    tokens: TokenFactory = field(init=False)
    signals: SignalFactory = field(init=False)

    def tokens_by(self, key: SigningKey) -> TokenFactory:
        return TokenFactory(issuer=ISSUER, audience=AUDIENCE, key=key, internal_key=self.internal_key, clock=self.clock)

    def configure(self) -> Step:
        return {
            "op": "configure", "issuer": ISSUER, "audience": AUDIENCE, "leeway": 30, "now": NOW,
            "access_keys": json.loads(key_set(self.access, self.rsa, self.pss, self.eddsa)),
            "signal_keys": json.loads(key_set(self.signals_key)), "internal_keys": json.loads(key_set(self.internal_key)),
            "expect": {"verdict": "ok"},
        }  # fmt: skip

    def snapshot(self, *facts: Mapping[str, Any], access: int = 0, roles: int = 0, at: float = NOW, epoch: int = 1) -> Step:
        """What makes a verifier ready."""
        signed = self.signals.snapshot(facts, counts=_counts(access, roles), at=at, epoch=epoch)
        return {"op": "snapshot", "snapshot": signed, "now": at, "expect": {"verdict": "accept"}}

    def since(
        self, after: int, *facts: Mapping[str, Any], access: int, at: float, roles_after: int = 0, epoch: int = 1, fits: bool = True
    ) -> Step:
        """What came behind a count of class `access`, for a verifier that knows the rest."""
        signed = self.signals.snapshot(facts, counts=_counts(access, roles_after), after=_counts(after, roles_after), at=at, epoch=epoch)
        return {"op": "snapshot", "snapshot": signed, "now": at, "expect": {"verdict": "accept" if fits else "drop"}}

    def signal(self, fact: Mapping[str, Any], *, count: int | None = None, epoch: int = 1, now: float = NOW) -> Step:
        return heard(self.signals.signal(fact, count=count, epoch=epoch), now=now)

    def beat(self, of_class: str, *, now: float, count: int = 0, epoch: int = 1, at: float | None = None, state: str = "running") -> Step:
        signed = self.signals.heartbeat(of_class, count=count, epoch=epoch, sequence=count, at=now if at is None else at, state=state)
        return heard(signed, now=now)

    def beats(self, *, now: float, access: int = 0, roles: int = 0, epoch: int = 1, at: float | None = None) -> list[Step]:
        given: dict[str, Any] = {"now": now, "epoch": epoch, "at": at}
        return [self.beat("access", count=access, **given), self.beat(f"roles.{AUDIENCE}", count=roles, **given)]


def heard(signed: str, *, now: float = NOW, accepted: bool = True) -> Step:
    return {"op": "signal", "set": signed, "now": now, "expect": {"verdict": "accept" if accepted else "drop"}}


def accepts(token: str, *, now: float = NOW, on_blind: str | float = "refuse", **identity: Any) -> Step:
    return _asked("token", token, now, on_blind, {"verdict": "accept", **({"identity": identity} if identity else {})})


def refuses(token: str, code: str = "invalid_token", *, now: float = NOW, on_blind: str | float = "refuse") -> Step:
    return _asked("token", token, now, on_blind, {"verdict": "refuse", "code": code})


def accepts_internal(token: str, *, now: float = NOW, **identity: Any) -> Step:
    return {"op": "internal", "token": token, "now": now, "expect": {"verdict": "accept", "identity": identity}}


def refuses_internal(token: str, code: str = "invalid_token", *, now: float = NOW) -> Step:
    return {"op": "internal", "token": token, "now": now, "expect": {"verdict": "refuse", "code": code}}


def case(name: str, *steps: Step | Sequence[Step], applies: Sequence[str] = ("sdk",)) -> dict[str, Any]:
    flat = [each for step in steps for each in ([step] if isinstance(step, dict) else step)]
    return {"name": name, "applies": list(applies), "steps": flat}


def _asked(op: str, token: str, now: float, on_blind: str | float, expect: Mapping[str, Any]) -> Step:
    return {"op": op, "token": token, "now": now, "on_blind": on_blind, "expect": dict(expect)}


def written(header: str | bytes, payload: str | bytes, key: SigningKey) -> str:
    """Sign bytes as they are, whatever they are."""
    message = f"{to_base64url(_bytes(header))}.{to_base64url(_bytes(payload))}"
    return f"{message}.{to_base64url(key.sign(message.encode()))}"


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def session(session_id: str = SID, until: int | None = UNTIL) -> dict[str, Any]:
    return {"kind": "session", "id": session_id, "until": until}


def user(epoch: int, user_id: str = USER, until: int = UNTIL) -> dict[str, Any]:
    return {"kind": "user", "id": user_id, "epoch": epoch, "until": until}


def client(client_id: str, epoch: int | None = None) -> dict[str, Any]:
    return {"kind": "client", "id": client_id, "until": UNTIL} | ({} if epoch is None else {"epoch": epoch})


def one(kind: str, of: str) -> dict[str, Any]:
    return {"kind": kind, "id": of, "until": UNTIL}


def roles(held: Sequence[str], version: int, *, user_id: str = USER, audience: str = AUDIENCE) -> dict[str, Any]:
    return {"kind": "roles", "audience": audience, "id": user_id, "roles": sorted(held), "version": version, "until": UNTIL}


def role(name: str, permissions: Sequence[str], version: int, *, retired: bool = False, audience: str = AUDIENCE) -> dict[str, Any]:
    return {
        "kind": "role_map", "audience": audience, "id": name, "permissions": list(permissions), "retired": retired, "version": version,
    }  # fmt: skip


def _counts(access: int, roles: int) -> dict[str, int]:
    return {"access": access, f"roles.{AUDIENCE}": roles}
