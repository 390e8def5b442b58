"""Token pairs given out, and the figures that moves; both ways to each go through here."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, assert_never

from prometheus_client import Counter

from adapters.limits.policy import Kind
from api import metrics
from api.exchange import Exchange
from api.token_pairs import EnrolledPair, EnrolmentNeeded, FactorNeeded, TokenPair, answer_of, enrolled_pair, token_pair
from api.world import World
from commands.complete_sign_in import CompleteSignIn, complete_sign_in
from commands.context import Context
from commands.enrol_at_sign_in import EnrolledAndIn
from commands.issue_token import IssueToken, issue_token
from commands.login_names import guarded_name
from commands.sign_in import SignIn, sign_in
from commands.sign_in_challenge import EnrolmentRequired, FactorRequired
from commands.sign_in_with_passkey import SignInWithPasskey, sign_in_with_passkey
from commands.token_answer import SignedIn
from domain import errors
from domain.claim import ClaimKind

R = TypeVar("R")


async def signed_in(wish: SignIn, ctx: Context, exchange: Exchange, world: World) -> TokenPair | FactorNeeded | EnrolmentNeeded:
    _limit_name(wish, exchange, world)
    return answer_of(await counted(metrics.SIGN_INS, _how_far, sign_in(wish, ctx, world.ports)))


async def completed(wish: CompleteSignIn, ctx: Context, world: World) -> TokenPair | FactorNeeded | EnrolmentNeeded:
    return answer_of(await counted(metrics.SIGN_INS, _how_far, complete_sign_in(wish, ctx, world.ports)))


async def enrolled(enrolling: Awaitable[EnrolledAndIn]) -> EnrolledPair:
    return enrolled_pair(await counted(metrics.SIGN_INS, lambda _: "signed_in", enrolling))


async def entered(wish: SignInWithPasskey, ctx: Context, world: World) -> TokenPair:
    return token_pair(await counted(metrics.SIGN_INS, _how_far, sign_in_with_passkey(wish, ctx, world.ports)))


async def refreshed(wish: IssueToken, ctx: Context, exchange: Exchange, world: World) -> TokenPair:
    """Whose session a token names is known before it is known to be genuine: only genuine ones count, and too many are not looked at."""
    presented = world.ports.mint.read_refresh_token(wish.refresh_token)
    session = "" if presented is None else str(presented.session_id)
    world.limiter.claimed(exchange, Kind.SESSION, session)
    pair = token_pair(await counted(metrics.REFRESHES, lambda _: "issued", issue_token(wish, ctx, world.ports)))
    world.limiter.proved(exchange, Kind.SESSION, session)
    return pair


def _limit_name(wish: SignIn, exchange: Exchange, world: World) -> None:
    match wish.email, wish.username:
        case str(email), None:
            world.limiter.name(exchange, guarded_name(ClaimKind.EMAIL, email).counted_as)
        case None, str(username):
            world.limiter.name(exchange, guarded_name(ClaimKind.USERNAME, username).counted_as)
        case _:
            pass  # the command refuses it


def _how_far(answer: SignedIn | FactorRequired | EnrolmentRequired) -> str:
    match answer:
        case SignedIn():
            return "signed_in"
        case FactorRequired():
            return "factor_required"
        case EnrolmentRequired():
            return "enrolment_required"
        case _:
            assert_never(answer)


async def counted(counter: Counter, success: Callable[[R], str], call: Awaitable[R]) -> R:
    """Count how it went, by the code of the refusal where there was one."""
    try:
        result = await call
    except errors.Refused as refused:
        metrics.labelled(counter, refused.code).inc()
        raise
    metrics.labelled(counter, success(result)).inc()
    return result
