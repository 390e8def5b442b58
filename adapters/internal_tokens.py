"""What a gateway hands on to the services behind it: who calls, for a minute, signed with a key of its own set (threats.md 14).

No access token and never good as one: another `typ`, another key set. Nobody takes it but the audience it names.
"""

from functools import lru_cache

import msgspec
from msgspec import Struct

from adapters.base64url import to_text
from adapters.keyring import Keyring
from commands.ports import Found, WhoCalls

TYPE = "minos-internal+jwt"
LIFE_S = 60
LONGEST = 8_192
"""Characters, as for any token (adapters/access_tokens.py): services refuse longer ones, and so do buffers of proxies."""
MOST = 256
"""Roles, and permissions, that services take in one."""


class _Header(Struct, frozen=True):
    alg: str
    kid: str
    typ: str


class _Payload(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is empty is not in it, but for roles and permissions, of which having none says something."""

    iss: str
    sub: str
    aud: str
    exp: int
    iat: int
    jti: str
    principal: WhoCalls
    roles: tuple[str, ...]
    permissions: tuple[str, ...]
    sid: str = ""
    client_id: str = ""
    key_id: str = ""
    auth_time: int = 0
    acr: str = ""
    amr: tuple[str, ...] = ()


async def internal_token(found: Found, keyring: Keyring, *, issuer: str, jti: str) -> str:
    """Sign what was found; never for longer than what was shown is good for, but for the second in which it is used.

    Raises StoreUnavailable while there is no key to sign with.
    """
    signer = await keyring.signer()
    issued = int(found.at.timestamp())
    payload = _Payload(
        iss=issuer,
        sub=found.subject,
        aud=found.audience,
        exp=min(issued + LIFE_S, max(found.expires_at, issued + 1)),
        iat=issued,
        jti=jti,
        principal=found.principal,
        roles=found.roles,
        permissions=found.permissions,
        sid=found.session_id,
        client_id=found.client_id,
        key_id=found.key_id,
        auth_time=found.auth_time,
        acr=found.acr,
        amr=found.amr,
    )
    message = _header(signer.kid, signer.algorithm) + b"." + to_text(msgspec.json.encode(payload)).encode()
    return f"{message.decode()}.{to_text(signer.sign(message))}"


@lru_cache(maxsize=16)
def _header(kid: str, algorithm: str) -> bytes:
    return to_text(msgspec.json.encode(_Header(algorithm, kid, TYPE))).encode()
