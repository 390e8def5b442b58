"""A password somebody wants to have from now on: what is refused, whichever way it comes."""

from commands.context import Context
from commands.ports import Ports
from domain.password import check_choice, check_strength, check_unknown, context_words


async def check_new_password(password: str, *names: str | None, ctx: Context, ports: Ports) -> None:
    """Raise PasswordUnacceptable for what nobody of these names may have, cheapest reason first; Overloaded."""
    policy = ports.policy
    words = context_words(*names, policy.service_name)
    check_choice(password, min_length=policy.password_min_length, context=words)
    check_unknown(listed=ports.judge.is_listed(password))
    if policy.password_min_score > 0:
        strength = await ports.judge.strength(password, context=words, network=ctx.network)
        check_strength(strength.score, min_score=policy.password_min_score, advice=strength.said)
