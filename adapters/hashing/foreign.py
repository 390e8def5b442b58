"""Password hashes that other systems made: read, priced and compared until their owner's first sign-in puts Argon2id in their place.

What is read is what an import wrote, so it is a stranger's: a hash that asks for more than Argon2id may is not computed
(threats.md 20), and one so short that any password could match it is none.
"""

import binascii
import hashlib
import re
import unicodedata
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from hmac import compare_digest
from typing import TypeAlias

MOST_MEMORY_BYTES = 256 << 20
MOST_BCRYPT_COST = 14
MOST_PBKDF2_ROUNDS = 2_000_000
MOST_SCRYPT_WORK = 1 << 21
"""N x r x p. Each of these takes half a second to a second of one core."""
LONGEST = 512
SHORTEST_DIGEST = 16
"""Bytes; of fewer, chance makes a match."""
LONGEST_DIGEST = 128
_BCRYPT_READS = 72
"""Bytes of a password; all makers of bcrypt hashes cut there."""


@dataclass(frozen=True, slots=True)
class Bcrypt:
    encoded: str
    over_sha256: bool
    """Of the hex of the password's SHA-256: Django's way past the 72 bytes."""

    def affordable(self, times: int = 1) -> bool:
        return times << int(self.encoded[4:6]) <= 1 << MOST_BCRYPT_COST

    def matches(self, password: bytes) -> bool:
        import bcrypt

        if self.over_sha256:
            password = hashlib.sha256(password).hexdigest().encode()
        try:
            return bcrypt.checkpw(password[:_BCRYPT_READS], self.encoded.encode())
        except ValueError:  # a NUL in the password, or a salt of no meaning
            return False


@dataclass(frozen=True, slots=True)
class Pbkdf2:
    algorithm: str
    rounds: int
    salt: bytes
    digest: bytes

    def affordable(self, times: int = 1) -> bool:
        blocks = -(-len(self.digest) // hashlib.new(self.algorithm).digest_size)
        return 0 < times * self.rounds * blocks <= MOST_PBKDF2_ROUNDS

    def matches(self, password: bytes) -> bool:
        made = hashlib.pbkdf2_hmac(self.algorithm, password, self.salt, self.rounds, len(self.digest))
        return compare_digest(made, self.digest)


@dataclass(frozen=True, slots=True)
class Scrypt:
    n: int
    r: int
    p: int
    salt: bytes
    digest: bytes

    def affordable(self, times: int = 1) -> bool:
        if self.n < 2 or self.n & (self.n - 1) or not self.r or not self.p:
            return False
        return times * self.n * self.r * self.p <= MOST_SCRYPT_WORK and self._memory <= MOST_MEMORY_BYTES

    @property
    def _memory(self) -> int:
        return 128 * self.r * (self.n + self.p + 2)

    def matches(self, password: bytes) -> bool:
        try:
            made = hashlib.scrypt(
                password, salt=self.salt, n=self.n, r=self.r, p=self.p, maxmem=self._memory + (1 << 20), dklen=len(self.digest)
            )
        except ValueError:
            return False
        return compare_digest(made, self.digest)


Foreign: TypeAlias = Bcrypt | Pbkdf2 | Scrypt


def read(encoded: str) -> Foreign | None:
    """Take a stored hash apart; None for one that is not of these forms, Argon2's among them. Computes nothing."""
    if len(encoded) > LONGEST or not encoded.isascii():
        return None
    for form, made in _FORMS:
        if (found := form.fullmatch(encoded)) is not None:
            try:
                return made(found)
            except (ValueError, binascii.Error):
                return None
    return None


def long_enough(hashed: Foreign) -> bool:
    return isinstance(hashed, Bcrypt) or SHORTEST_DIGEST <= len(hashed.digest) <= LONGEST_DIGEST


def matches(hashed: Foreign, password: str) -> bool:
    """Compare with each of the password's spellings, one after the other."""
    return any(hashed.matches(spelled) for spelled in spellings(hashed, password))


def spellings(hashed: Foreign, password: str) -> list[bytes]:
    """As it was typed, which is what others hashed; and in NFKC where that differs and both together cost no more than one may.

    Who guesses chooses the spelling: of a hash as dear as any there may be, one look is all.
    """
    spelled = dict.fromkeys((password, unicodedata.normalize("NFKC", password)))
    return [text.encode("utf-8", "surrogatepass") for n, text in enumerate(spelled, start=1) if hashed.affordable(n)]


def _bcrypt(found: "re.Match[str]") -> Bcrypt:
    return Bcrypt(found["hash"], over_sha256=found["over"] == "bcrypt_sha256$")


def _pbkdf2(salt: Callable[[str], bytes], digest: Callable[[str], bytes]) -> "Callable[[re.Match[str]], Pbkdf2]":
    def made(found: "re.Match[str]") -> Pbkdf2:
        return Pbkdf2(found["algorithm"] or "sha1", int(found["rounds"]), salt(found["salt"]), digest(found["digest"]))

    return made


def _scrypt(salt: Callable[[str], bytes], digest: Callable[[str], bytes]) -> "Callable[[re.Match[str]], Scrypt]":
    def made(found: "re.Match[str]") -> Scrypt:
        named = found.groupdict()
        n = 1 << min(int(named["ln"]), 63) if "ln" in named else int(named["n"])
        return Scrypt(n, int(found["r"]), int(found["p"]), salt(found["salt"]), digest(found["digest"]))

    return made


def _base64(text: str) -> bytes:
    """With or without padding, `.` for `+` as passlib writes it."""
    bare = text.replace(".", "+").rstrip("=")
    return b64decode(bare + "=" * (-len(bare) % 4), validate=True)


_64 = r"[A-Za-z0-9+/.]+={0,2}"
_FORMS: "tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Foreign]], ...]" = (
    # crypt(3); Django puts a name in front
    (re.compile(r"(?P<over>bcrypt\$|bcrypt_sha256\$)?(?P<hash>\$2[aby]\$\d\d\$[./A-Za-z0-9]{53})"), _bcrypt),
    # Django
    (
        re.compile(rf"pbkdf2_(?P<algorithm>sha1|sha256|sha512)\$(?P<rounds>\d{{1,10}})\$(?P<salt>[^$]*)\$(?P<digest>{_64})"),
        _pbkdf2(str.encode, _base64),
    ),
    (
        re.compile(rf"scrypt\$(?P<n>\d{{1,10}})\$(?P<salt>[^$]*)\$(?P<r>\d{{1,9}})\$(?P<p>\d{{1,9}})\$(?P<digest>{_64})"),
        _scrypt(str.encode, _base64),
    ),
    # passlib, and PHC strings with names in front of the numbers
    (
        re.compile(
            rf"\$pbkdf2(?:-(?P<algorithm>sha1|sha256|sha512))?\$(?:i=)?(?P<rounds>\d{{1,10}})(?:,l=\d{{1,3}})?\$(?P<salt>{_64})\$(?P<digest>{_64})"
        ),
        _pbkdf2(_base64, _base64),
    ),
    (
        re.compile(rf"\$scrypt\$ln=(?P<ln>\d{{1,2}}),r=(?P<r>\d{{1,9}}),p=(?P<p>\d{{1,9}})\$(?P<salt>{_64})\$(?P<digest>{_64})"),
        _scrypt(_base64, _base64),
    ),
    # Werkzeug, which Flask comes with
    (
        re.compile(r"pbkdf2:(?P<algorithm>sha1|sha256|sha512):(?P<rounds>\d{1,10})\$(?P<salt>[^$]*)\$(?P<digest>[0-9a-f]+)"),
        _pbkdf2(str.encode, bytes.fromhex),
    ),
    (
        re.compile(r"scrypt:(?P<n>\d{1,10}):(?P<r>\d{1,9}):(?P<p>\d{1,9})\$(?P<salt>[^$]*)\$(?P<digest>[0-9a-f]+)"),
        _scrypt(str.encode, bytes.fromhex),
    ),
)
