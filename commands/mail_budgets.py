"""How much is sent to one address, and how much one network may ask for: the same whether or not an address has an account.

Each budget refills bit by bit, and what is refused counts against none: a stranger who asks for all there is delays the next mail,
and never shuts anybody out. Each kind of mail has its own: asking for one uses up no other.
"""

from collections.abc import Sequence
from uuid import UUID

from commands.context import Context
from commands.ports.mail import Budget

HOUR = 3_600
VERIFICATIONS = (Budget(kind="verification", of="", most=3, seconds=HOUR),)
"""By whoever asks: signed in or not, it is one count."""
RESETS = (Budget(kind="reset_apart", of="", most=1, seconds=60), Budget(kind="reset", of="", most=5, seconds=HOUR))
NOTICES = (Budget(kind="notice", of="", most=5, seconds=4 * HOUR),)
"""Of what happened to an account, to an address that nobody has proved: it may be another's, who did not ask for any of it."""
CHANGES = (Budget(kind="change", of="", most=5, seconds=HOUR),)
"""Of address, by one account."""
_CODES = Budget(kind="code", of="", most=5, seconds=180)
_SAME_CODE = Budget(kind="code_again", of="", most=3, seconds=200)
INVITATIONS = (Budget(kind="invitation", of="", most=3, seconds=HOUR),)
"""By all who invite: one who may is not to fill a stranger's mailbox."""
FROM_NETWORK = Budget(kind="network", of="", most=100, seconds=60)


def asked_by_anybody(kinds: Sequence[Budget], address: str, ctx: Context) -> tuple[Budget, ...]:
    """Give what a mail to this address counts against; `address` is normalised. Always in this order (`spend_mail`)."""
    return (_of(FROM_NETWORK, ctx.network or "nowhere"), *to_address(kinds, address))


def to_address(kinds: Sequence[Budget], address: str) -> tuple[Budget, ...]:
    """The same where it is known who asks: no network is charged for them."""
    return tuple(_of(kind, address) for kind in kinds)


def codes(asker: str, code_id: UUID) -> tuple[Budget, ...]:
    """Give what a mailed code counts against: whoever asks for it, and the code itself."""
    return (_of(_CODES, asker), _of(_SAME_CODE, str(code_id)))


def _of(budget: Budget, of: str) -> Budget:
    return Budget(kind=budget.kind, of=of, most=budget.most, seconds=budget.seconds)
