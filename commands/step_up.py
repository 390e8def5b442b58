"""Whether a caller's proof of who they are is fresh and strong enough for what they ask for."""

from commands.context import Principal
from domain.assurance import Acr, StepUp, at_least
from domain.errors import ReauthenticationRequired


def require_proof(caller: Principal, wanted: StepUp) -> None:
    """By the token at hand: what others have proved in the same session since does not count. Raises ReauthenticationRequired."""
    if caller.seen_at - caller.auth_time > wanted.max_age or not at_least(Acr(caller.acr), wanted.acr):
        raise ReauthenticationRequired(wanted.max_age, wanted.acr)
