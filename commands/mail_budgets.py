"""How much is sent to one address, and how much one network may ask for: the same whether or not an address has an account."""

from commands.context import Context
from commands.ports.mail import Budget

HOUR, DAY = 3_600, 86_400
VERIFICATIONS = Budget(kind="verification", of="", most=3, seconds=HOUR)
"""By whoever asks: signed in or not, it is one count."""
RESETS = Budget(kind="reset", of="", most=1, seconds=60)
TO_ADDRESS = Budget(kind="address", of="", most=10, seconds=DAY)
FROM_NETWORK = Budget(kind="network", of="", most=200, seconds=DAY)


def budgets(kind: Budget, address: str, ctx: Context) -> tuple[Budget, ...]:
    """Give what a mail to this address counts against; `address` is normalised. Always in this order (`ask_mail`)."""
    return (_of(FROM_NETWORK, ctx.network or "nowhere"), _of(TO_ADDRESS, address), _of(kind, address))


def _of(budget: Budget, of: str) -> Budget:
    return Budget(kind=budget.kind, of=of, most=budget.most, seconds=budget.seconds)
