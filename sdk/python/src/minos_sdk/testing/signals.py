"""Signed signals, heartbeats and snapshots as the authority sends them."""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import uuid4

from minos_sdk.ports import Clock
from minos_sdk.signal_sets import HEARTBEAT, SET, SNAPSHOT
from minos_sdk.testing.keys import SigningKey

_CAEP = "https://schemas.openid.net/secevent/caep/event-type/"
EVENT_TYPES = {
    "session": f"{_CAEP}session-revoked", "user": f"{_CAEP}session-revoked", "roles": f"{_CAEP}token-claims-change",
    "client": "urn:minos:event:client-revoked", "key": "urn:minos:event:key-revoked", "token": "urn:minos:event:token-revoked",
    "api_key": "urn:minos:event:api-key-revoked", "role_map": "urn:minos:event:role-map",
}  # fmt: skip
_MICRO = 1_000_000


class SignalFactory:
    """Of one issuer. Facts are given as in the `minos` member, for example `{"kind": "session", "id": sid, "until": 1800003600}`."""

    def __init__(self, *, issuer: str, key: SigningKey, clock: Clock) -> None:
        self.issuer = issuer
        self.key = key
        self._clock = clock

    def signal(self, fact: Mapping[str, Any], *, count: int | None = None, epoch: int = 1, **members: Any) -> str:
        """A durable signal, or a hint where there is no count."""
        payload = self.payload(fact) | members
        if count is not None:
            payload["feed"] = {"class": class_of(fact), "epoch": epoch, "count": count}
        return self.key.signed(payload, typ=SET)

    def payload(self, fact: Mapping[str, Any]) -> dict[str, Any]:
        now = int(self._clock.time())
        return {
            "iat": now, "iss": self.issuer, "jti": str(uuid4()), "txn": str(uuid4()), "sub_id": {"format": "opaque", "id": fact["id"]},
            "events": {EVENT_TYPES[fact["kind"]]: {"event_timestamp": now}}, "minos": dict(fact),
        }  # fmt: skip

    def heartbeat(
        self,
        of_class: str,
        *,
        count: int,
        epoch: int = 1,
        sequence: int = 0,
        at: float | None = None,
        state: str = "running",
        beat: int = 1,
    ) -> str:
        """`at`: seconds since 1970 before which everything is sent; by default now."""
        complete_to = int((self._clock.time() if at is None else at) * _MICRO)
        feed = {
            "class": of_class, "epoch": epoch, "count": count, "sequence": sequence, "beat": beat, "complete_to": complete_to,
            "state": state,
        }  # fmt: skip
        payload: dict[str, Any] = {
            "iat": int(self._clock.time()),
            "iss": self.issuer,
            "jti": str(uuid4()),
            "events": {HEARTBEAT: {}},
            "feed": feed,
        }
        return self.key.signed(payload, typ=SET)

    def snapshot(
        self,
        facts: Iterable[Mapping[str, Any]],
        *,
        counts: Mapping[str, int],
        after: Mapping[str, int] | None = None,
        epoch: int = 1,
        at: float | None = None,
    ) -> str:
        """`counts`: the newest of each class. `after`: the facts of a class are those behind this count, for who knows the others."""
        now, since = self._clock.time(), after or {}
        payload = {
            "iss": self.issuer, "iat": int(now), "complete_to": int((now if at is None else at) * _MICRO),
            "classes": [
                {"class": name, "epoch": epoch, "count": count} | ({"after": since[name]} if name in since else {})
                for name, count in counts.items()
            ],
            "facts": [dict(fact) for fact in facts],
        }  # fmt: skip
        return self.key.signed(payload, typ=SNAPSHOT)


def class_of(fact: Mapping[str, Any]) -> str:
    return f"roles.{fact['audience']}" if fact["kind"] in ("roles", "role_map") else "access"
