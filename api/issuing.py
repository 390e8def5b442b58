"""Token pairs given out, and the figures that moves; both ways to each go through here."""

from collections.abc import Awaitable
from typing import TypeVar

from prometheus_client import Counter

from api import metrics
from api.exchange import Exchange
from api.token_pairs import TokenPair, token_pair
from api.world import World
from commands.context import Context
from commands.issue_token import IssueToken, issue_token
from commands.login_names import guarded_name
from commands.sign_in import SignIn, sign_in
from domain import errors
from domain.claim import ClaimKind

R = TypeVar("R")


async def signed_in(wish: SignIn, ctx: Context, exchange: Exchange, world: World) -> TokenPair:
    _limit_name(wish, exchange, world)
    return token_pair(await counted(metrics.SIGN_INS, "signed_in", sign_in(wish, ctx, world.ports)))


async def refreshed(wish: IssueToken, ctx: Context, exchange: Exchange, world: World) -> TokenPair:
    """Whose session a token names is known before it is known to be genuine: only genuine ones count, and too many are not looked at."""
    presented = world.ports.mint.read_refresh_token(wish.refresh_token)
    session = "" if presented is None else str(presented.session_id)
    world.limiter.claimed(exchange, session)
    pair = token_pair(await counted(metrics.REFRESHES, "issued", issue_token(wish, ctx, world.ports)))
    world.limiter.proved(exchange, session)
    return pair


def _limit_name(wish: SignIn, exchange: Exchange, world: World) -> None:
    match wish.email, wish.username:
        case str(email), None:
            world.limiter.name(exchange, guarded_name(ClaimKind.EMAIL, email).counted_as)
        case None, str(username):
            world.limiter.name(exchange, guarded_name(ClaimKind.USERNAME, username).counted_as)
        case _:
            pass  # the command refuses it


async def counted(counter: Counter, success: str, call: Awaitable[R]) -> R:
    """Count how it went, by the code of the refusal where there was one."""
    try:
        result = await call
    except errors.Refused as refused:
        metrics.labelled(counter, refused.code).inc()
        raise
    metrics.labelled(counter, success).inc()
    return result
