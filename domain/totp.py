"""Codes by time (RFC 6238): SHA-1, six digits, steps of 30 seconds, as every authenticator application makes them.

Twenty lines of our own, because a library answers yes or no: the guard against a code that counts twice has to know the step.
"""

import base64
import hmac
from datetime import datetime
from urllib.parse import quote

STEP = 30
"""Seconds."""
DIGITS = 6
SEED_BYTES = 20
"""160 bits, RFC 4226 4 R6."""


def code_at(seed: bytes, step: int) -> str:
    """Give the code of a time step (RFC 4226 5.3)."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0x0F
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return str(number % 10**DIGITS).zfill(DIGITS)


def step_at(at: datetime) -> int:
    return int(at.timestamp()) // STEP


def matching_step(seed: bytes, code: str, *, at: datetime, after: int = -1) -> int | None:
    """Give the step that a code belongs to, one either side of now and later than `after`; None where it is wrong or used.

    Always compares all three, in a time that tells nothing of the code.
    """
    now, found = step_at(at), None
    for step in (now - 1, now, now + 1):
        if hmac.compare_digest(code_at(seed, step).encode(), code.encode()) and step > after:
            found = step
    return found


def base32(seed: bytes) -> str:
    """What people type into an application where they cannot scan. 20 bytes need no padding."""
    return base64.b32encode(seed).decode("ascii")


def uri(seed: bytes, *, account: str, service: str) -> str:
    """Give the address that a QR code holds (Key Uri Format of Google Authenticator)."""
    label = f"{quote(service, safe='')}:{quote(account, safe='@')}"
    return f"otpauth://totp/{label}?secret={base32(seed)}&issuer={quote(service, safe='')}&algorithm=SHA1&digits={DIGITS}&period={STEP}"
