"""A NATS server as far as it asks who a connection is, for questions that no server would put."""

import time
from typing import Any

import msgspec

from adapters.nats_jwt import signed, verified
from adapters.nats_keys import Kind, new_seed, public_key
from adapters.nats_xkey import opened, sealed


class Server:
    """Asks the holder of `xkey`, as it was told to trust `issuer`; both are public."""

    def __init__(self, *, issuer: str, xkey: str) -> None:
        self.issuer = issuer
        self._xkey = xkey
        self._seed, self._curve = new_seed(Kind.SERVER), new_seed(Kind.CURVE)
        self.id, self.curve = public_key(self._seed), public_key(self._curve)
        self.user = public_key(new_seed())

    def claims(self, **shown: str) -> dict[str, Any]:
        return {
            "aud": "nats-authorization-request",
            "sub": self.issuer,
            "iat": int(time.time()),
            "nats": {
                "type": "authorization_request",
                "version": 2,
                "server_id": {"name": "one", "host": "0.0.0.0", "id": self.id, "xkey": self.curve},
                "user_nkey": self.user,
                "client_info": {"host": "127.0.0.1", "kind": "Client"},
                "connect_opts": {"protocol": 1, **shown},
            },
        }

    def asks(self, claims: dict[str, Any], *, seed: str | None = None) -> bytes:
        return self.encrypted(signed(claims, self._seed if seed is None else seed).encode())

    def encrypted(self, content: bytes) -> bytes:
        return sealed(content, seed=self._curve, to=self._xkey)

    def hears(self, answer: bytes) -> dict[str, Any]:
        """Give what an answer says, and in place of a user's JWT what that says."""
        said: dict[str, Any] = msgspec.json.decode(self._opened(opened(answer, seed=self._curve, sender=self._xkey)))
        if "jwt" in said["nats"]:
            said["nats"]["jwt"] = msgspec.json.decode(self._opened(said["nats"]["jwt"].encode()))
        return said

    def _opened(self, text: bytes) -> bytes:
        claims = verified(text.decode(), Kind.ACCOUNT)
        assert msgspec.json.decode(claims, type=dict[str, Any])["iss"] == self.issuer
        return claims
