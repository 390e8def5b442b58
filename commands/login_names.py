"""One spelling for each e-mail address and username, so that two spellings can never be two accounts."""

import re
import unicodedata

import idna

from domain.claim import ClaimKind
from domain.errors import InvalidEmail, InvalidUsername

_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f-\x9f]{1,64}")
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
LONGEST_EMAIL = 254
"""Octets, RFC 5321 4.5.3.1.3."""


def normalise_email(address: str) -> str:
    """Give the lower-case NFKC address with its domain in IDNA A-labels (RFC 5891). Raises InvalidEmail."""
    folded = unicodedata.normalize("NFKC", address).lower()
    local, at, domain = folded.rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or local.startswith(".") or local.endswith(".") or ".." in local:
        raise InvalidEmail
    try:
        ascii_domain = idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as bad:
        raise InvalidEmail from bad
    normalised = f"{local}@{ascii_domain}"
    if "." not in ascii_domain or len(normalised.encode()) > LONGEST_EMAIL:
        raise InvalidEmail
    return normalised


def normalise_username(username: str) -> str:
    """Give the lower-case NFKC username. Raises InvalidUsername."""
    folded = unicodedata.normalize("NFKC", username).lower()
    if not _USERNAME.fullmatch(folded):
        raise InvalidUsername
    return folded


def normalise(kind: ClaimKind, name: str) -> str:
    return normalise_email(name) if kind is ClaimKind.EMAIL else normalise_username(name)


def guarded_name(kind: ClaimKind, name: str) -> str:
    """Give what a sign-in attempt is counted under, even when no account could ever have such a name."""
    try:
        return f"{kind}:{normalise(kind, name)}"
    except (InvalidEmail, InvalidUsername):
        return f"{kind}:invalid:{unicodedata.normalize('NFKC', name).lower()}"
