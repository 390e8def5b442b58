"""Whether a caller's proof of who they are is fresh and strong enough for what they ask for."""

from msgspec.structs import replace

from commands.context import Principal
from commands.ports import Ports
from commands.transact import read_states
from domain import factors
from domain.assurance import SECOND_FACTORS, Acr, StepUp, at_least
from domain.errors import ReauthenticationRequired
from domain.session_events import AuthMethod

WITH_PASSWORD = StepUp(max_age=900, acr=Acr.TWO_FACTOR)
"""What is asked, besides the password itself, of whoever has a second factor."""


async def require_proof(caller: Principal, wanted: StepUp, ports: Ports) -> Principal:
    """Give the caller as they may be decided on. By the token at hand: what others have proved in the same session since does not count.

    Whoever has a second factor has to have shown one: a copied token and the password are not to be enough for what a sign-in would
    have asked more for. Raises ReauthenticationRequired.
    """
    if not _is_fresh(caller, wanted) or not at_least(Acr(caller.acr), wanted.acr):
        raise ReauthenticationRequired(wanted.max_age, wanted.acr)
    if _shows_factor(caller):
        return caller
    if await _has_factor(caller, ports):
        raise ReauthenticationRequired(wanted.max_age, wanted.acr if at_least(wanted.acr, Acr.TWO_FACTOR) else Acr.TWO_FACTOR)
    return replace(caller, factorless=True)


async def require_factor_besides(caller: Principal, ports: Ports) -> Principal:
    """Give the caller as they may be decided on, for what takes the password with the request: as at sign-in a recovery code will do.

    Raises ReauthenticationRequired where a second factor is enrolled and nothing of the kind was shown lately.
    """
    shown = _shows_factor(caller) or AuthMethod.RECOVERY in caller.amr
    if shown and _is_fresh(caller, WITH_PASSWORD):
        return caller
    if await _has_factor(caller, ports):
        raise ReauthenticationRequired(WITH_PASSWORD.max_age, WITH_PASSWORD.acr)
    return replace(caller, factorless=True)


def _is_fresh(caller: Principal, wanted: StepUp) -> bool:
    return caller.seen_at - caller.auth_time <= wanted.max_age


def _shows_factor(caller: Principal) -> bool:
    return not SECOND_FACTORS.isdisjoint(caller.amr)


async def _has_factor(caller: Principal, ports: Ports) -> bool:
    stream = factors.stream(caller.user_id)
    return (await read_states(ports, [(factors.decider, stream)])).state(factors.decider, stream).enrolled
