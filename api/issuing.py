"""Token pairs given out, and the figures that moves; both ways to each go through here."""

from collections.abc import Awaitable
from typing import TypeVar

from prometheus_client import Counter

from api import metrics
from api.token_pairs import TokenPair, token_pair
from api.world import World
from commands.context import Context
from commands.issue_token import IssueToken, issue_token
from commands.sign_in import SignIn, sign_in
from domain import errors

R = TypeVar("R")


async def signed_in(wish: SignIn, ctx: Context, world: World) -> TokenPair:
    return token_pair(await counted(metrics.SIGN_INS, "signed_in", sign_in(wish, ctx, world.ports)))


async def refreshed(wish: IssueToken, ctx: Context, world: World) -> TokenPair:
    return token_pair(await counted(metrics.REFRESHES, "issued", issue_token(wish, ctx, world.ports)))


async def counted(counter: Counter, success: str, call: Awaitable[R]) -> R:
    """Count how it went, by the code of the refusal where there was one."""
    try:
        result = await call
    except errors.Refused as refused:
        metrics.labelled(counter, refused.code).inc()
        raise
    metrics.labelled(counter, success).inc()
    return result
