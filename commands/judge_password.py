"""What we think of a password before anybody chooses it: for the page on which it is typed. Nothing is kept."""

from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct

from commands.context import Context
from commands.ports import Advice, Policy, Ports, Strength
from commands.register_user import PasswordText
from domain.errors import PasswordUnacceptable
from domain.password import check_choice, check_strength, check_unknown, context_words

NameSoFar = Annotated[str, Meta(max_length=320)]


class JudgePassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names may be unfinished or left out: they are what the password should not contain."""

    password: PasswordText
    email: NameSoFar | None = None
    username: NameSoFar | None = None
    name: NameSoFar | None = None

    def __repr__(self) -> str:
        return "JudgePassword(...)"


class Judgement(Struct, frozen=True, kw_only=True):
    refusal: Annotated[str | None, Meta(description="Why a new account could not have it; null for one that is acceptable.")]
    listed: Annotated[bool, Meta(description="It is on the list of breached and common passwords, or nearly.")]
    score: Annotated[int, Meta(ge=0, le=4, description="0 is found at once; from 3 on guessing takes longer than it is worth.")]
    guesses_log10: Annotated[float, Meta(description="Power of ten of the tries it takes, about.")]
    warning: Advice | None
    suggestions: tuple[Advice, ...]


async def judge_password(command: JudgePassword, ctx: Context, ports: Ports) -> Judgement:
    """Raises Overloaded."""
    words = context_words(command.email, command.username, command.name, ports.policy.service_name)
    listed = ports.judge.is_listed(command.password)
    strength = await ports.judge.strength(command.password, context=words, network=ctx.network)
    return Judgement(
        refusal=_refusal(command.password, words, strength, listed=listed, policy=ports.policy),
        listed=listed,
        score=0 if listed else strength.score,
        guesses_log10=strength.guesses_log10,
        warning=strength.warning,
        suggestions=strength.suggestions,
    )


def _refusal(password: str, words: Sequence[str], strength: Strength, *, listed: bool, policy: Policy) -> str | None:
    try:
        check_choice(password, min_length=policy.password_min_length, context=words)
        check_unknown(listed=listed)
        check_strength(strength.score, min_score=policy.password_min_score, advice=strength.said)
    except PasswordUnacceptable as refused:
        return refused.why
    return None
