"""One spelling for each e-mail address and username, so that two spellings can never be two accounts."""

import re
import unicodedata
from typing import NamedTuple

import idna

from domain.claim import ClaimKind
from domain.errors import InvalidEmail, InvalidUsername

_LOCAL = re.compile(r"[^\s@\"(),:;<>\[\\\]\x00-\x1f\x7f-\x9f]{1,64}")
_USERNAME = re.compile(r"[a-z0-9][a-z0-9._-]{2,63}")
_PLAIN_DOMAIN = re.compile(r"(?!.{254})(?:(?!..--)(?!-)[A-Za-z0-9-]{1,63}(?<!-)\.)+(?!..--)(?!-)[A-Za-z0-9-]{1,63}(?<!-)")
"""Labels that IDNA leaves as they are but for their case; hyphens third and fourth say that more is meant (RFC 5891 4.2.3.1)."""
_BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
"""Letters and marks that leave no mark: Default_Ignorable_Code_Point (UAX 44) outside of categories C and Z, and the empty braille cell."""
LONGEST_EMAIL = 254
"""Octets, RFC 5321 4.5.3.1.3."""


def normalise_email(address: str) -> str:
    """Give the address in one case, NFKC, with its domain in IDNA A-labels (RFC 5891). Raises InvalidEmail."""
    name, at, domain = unicodedata.normalize("NFKC", address).rpartition("@")
    local = _folded(name)
    if not at or not _LOCAL.fullmatch(local) or _misshapen(local) or _unseen(local):
        raise InvalidEmail
    ascii_domain = _a_labels(domain)
    normalised = f"{local}@{ascii_domain}"
    top = ascii_domain.rpartition(".")[2]
    if "." not in ascii_domain or not top or top.isdigit() or len(normalised.encode()) > LONGEST_EMAIL:
        raise InvalidEmail  # a final dot would be a second spelling, a number is no domain (RFC 5321 2.3.5)
    return normalised


def mailable(address: str) -> str:
    """Give an address as a mail server takes it: its name as its owner writes it, its domain in A-labels. Raises InvalidEmail.

    Never mail what merely normalises to a known address: somebody else may have the other spelling.
    """
    normalise_email(address)
    name, _, domain = unicodedata.normalize("NFKC", address).rpartition("@")
    return f"{name}@{_a_labels(domain)}"


def _misshapen(local: str) -> bool:
    """Whether there are dots where none may be (RFC 5322 3.2.3), or what a header field takes for an encoded word (RFC 2047 2)."""
    return local.startswith(".") or local.endswith(".") or ".." in local or "=?" in local


def _a_labels(domain: str) -> str:
    """Raises InvalidEmail. Plain letters, digits and hyphens, as in most domains, need no look at tables, which takes 0.1 ms."""
    if _PLAIN_DOMAIN.fullmatch(domain):
        return domain.lower()
    try:
        return idna.encode(domain, uts46=True).decode("ascii")
    except (idna.IDNAError, UnicodeError) as bad:
        raise InvalidEmail from bad


def _folded(text: str) -> str:
    """One case for all (Unicode 3.13 D145): folding can undo a composition, so it is composed again until nothing moves."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return folded if folded == text else _folded(folded)


def _unseen(text: str) -> bool:
    """Whether it holds what no reader sees: two addresses that look alike would be two accounts."""
    return _BLANK.search(text) is not None or any(unicodedata.category(character)[0] in "CZ" for character in text)


def normalise_username(username: str) -> str:
    """Give the lower-case NFKC username. Raises InvalidUsername."""
    folded = _folded(username)
    if not _USERNAME.fullmatch(folded):
        raise InvalidUsername
    return folded


def normalise(kind: ClaimKind, name: str) -> str:
    return normalise_email(name) if kind is ClaimKind.EMAIL else normalise_username(name)


class GuardedName(NamedTuple):
    """A login name as it is looked up, and as attempts on it are counted."""

    normalised: str
    counted_as: str


def guarded_name(kind: ClaimKind, name: str) -> GuardedName:
    """Take any text as a login name, one that no account could ever have too: nothing is found under it, and attempts are counted."""
    try:
        normalised = normalise(kind, name)
    except (InvalidEmail, InvalidUsername):
        nobodys = f"{kind}:invalid:{_folded(name)}"
        return GuardedName(nobodys, nobodys)
    return GuardedName(normalised, f"{kind}:{normalised}")
