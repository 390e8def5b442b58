"""How sure we are of who is there: what the methods a person showed are worth together (`acr`, `amr`; RFC 8176, RFC 9470)."""

from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache

from msgspec import Struct

from domain.session_events import AuthMethod


class Acr(StrEnum):
    """Values of `acr`, from weak to strong."""

    ONE_FACTOR = "urn:minos:acr:one-factor"
    TWO_FACTOR = "urn:minos:acr:two-factor"
    PHISHING_RESISTANT = "urn:minos:acr:phishing-resistant"


_STRENGTH = {acr: strength for strength, acr in enumerate(Acr)}
SECOND_FACTORS = frozenset({AuthMethod.OTP, AuthMethod.EMAIL, AuthMethod.PASSKEY})
"""What makes two factors of a password. Recovery codes do not: they let in, and step up to nothing (threats.md 5)."""


def acr_of(methods: Iterable[AuthMethod]) -> Acr:
    """Give what was reached. A passkey that verified its user is two factors by itself, and cannot be phished."""
    shown = frozenset(methods)
    if {AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED} <= shown:
        return Acr.PHISHING_RESISTANT
    if AuthMethod.PASSWORD in shown and shown & SECOND_FACTORS:
        return Acr.TWO_FACTOR
    return Acr.ONE_FACTOR


def amr_of(methods: Iterable[AuthMethod]) -> tuple[AuthMethod, ...]:
    """Give the claim's values, each once and in one order; `mfa` among them where there were two factors."""
    shown = set(methods)
    if at_least(acr_of(shown), Acr.TWO_FACTOR):
        shown.add(AuthMethod.MULTI)
    return tuple(method for method in AuthMethod if method in shown)


@lru_cache(maxsize=512)
def as_claims(methods: tuple[AuthMethod, ...]) -> tuple[str, tuple[str, ...]]:
    """Give `acr` and `amr` as a token has them. Kept: sessions differ little in this, and each token says it anew."""
    return str(acr_of(methods)), tuple(str(method) for method in amr_of(methods))


def at_least(reached: Acr, wanted: Acr) -> bool:
    return _STRENGTH[reached] >= _STRENGTH[wanted]


class StepUp(Struct, frozen=True, kw_only=True):
    """What a dangerous call asks for: a proof no older than `max_age` seconds, worth `acr` or more (RFC 9470)."""

    max_age: int
    acr: Acr = Acr.ONE_FACTOR
