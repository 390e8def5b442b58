"""This SDK as what the runner asks: a line of JSON in, a line of JSON out. `python -m minos_sdk.conformance.subject`"""

import asyncio
import json
import sys
from typing import Any

import httpx

from minos_sdk.errors import InvalidToken, MinosError
from minos_sdk.gateway import GatewayVerifier
from minos_sdk.identity import Identity
from minos_sdk.key_cache import FixedKeys
from minos_sdk.policies import REFUSE, AcceptUntil
from minos_sdk.receiver import Receiver
from minos_sdk.signal_sets import Beat
from minos_sdk.testing.clock import SettableClock
from minos_sdk.verifier import Verifier


class Silence:
    """A feed for a verifier that is told everything by hand."""

    async def run(self, receiver: Receiver, http: httpx.AsyncClient) -> None:  # noqa: ARG002 - one shape for all feeds
        await asyncio.Event().wait()


class Subject:
    """Answers one request after another; `configure` begins anew."""

    def __init__(self) -> None:
        self._clock = SettableClock(0)

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request["op"] == "configure":
            return self._configured(request)
        self._clock.advance(max(request["now"] - self._clock.time(), 0))
        match request["op"]:
            case "token":
                policy = REFUSE if request["on_blind"] == "refuse" else AcceptUntil(request["on_blind"])
                return await self._judged(self._verifier.verify(request["token"], on_blind=policy))
            case "internal":
                return await self._judged(self._gateway.verify(request["token"]))
            case "signal":
                return {"verdict": "accept" if await self._heard(request["set"]) else "drop"}
            case "snapshot":
                taken = await self._verifier.receiver.snapshot(request["snapshot"], asked_at=self._clock.monotonic())
                return {"verdict": "accept" if taken else "drop"}
            case _:
                return {"verdict": "unknown"}

    def _configured(self, request: dict[str, Any]) -> dict[str, Any]:
        keys, signal_keys, internal_keys = (
            FixedKeys(json.dumps(request[name]).encode()) for name in ("access_keys", "signal_keys", "internal_keys")
        )
        self._clock = SettableClock(request["now"])
        issuer, audience, clock = request["issuer"], request["audience"], self._clock
        self._verifier = Verifier(
            issuer=issuer,
            audience=audience,
            feed=Silence(),
            leeway=request["leeway"],
            keys=keys,
            signal_keys=signal_keys,
            clock=self._clock,
        )
        self._gateway = GatewayVerifier(issuer=issuer, audience=audience, keys=internal_keys, clock=clock)
        return {"verdict": "ok"}

    async def _heard(self, text: str) -> bool:
        receiver = self._verifier.receiver
        told = await receiver.signal(text)
        if isinstance(told, Beat):
            receiver.beat(told)
        elif told is not None and told.place is not None and (progress := receiver.classes.get(told.place.of_class)) is not None:
            progress.saw(told.place.epoch, told.place.count)
        return told is not None

    async def _judged(self, verdict: Any) -> dict[str, Any]:
        try:
            identity: Identity = await verdict
        except InvalidToken as refused:
            return {"verdict": "refuse", "code": refused.code, "reason": refused.reason}
        except MinosError as unknown:
            return {"verdict": "refuse", "code": unknown.code}
        return {"verdict": "accept", "identity": _told(identity)}


def _told(identity: Identity) -> dict[str, Any]:
    return {
        "principal": identity.principal, "subject": identity.subject, "client_id": identity.client_id, "session_id": identity.session_id,
        "token_id": identity.token_id, "roles": sorted(identity.roles), "permissions": sorted(identity.permissions),
    }  # fmt: skip


async def _serve() -> None:
    subject = Subject()
    for line in sys.stdin:
        request = json.loads(line)
        reply = {"id": request["id"], **await subject.answer(request)}
        sys.stdout.write(json.dumps(reply) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(_serve())
