"""What an audience is like at this moment, for whoever decides by it: its head is read in the question there is anyway."""

from collections.abc import Iterable

from commands.transact import Read, Transaction
from domain import audience
from domain.audience import BUILT_IN, Audience, for_client
from domain.client import Registered
from domain.errors import AudienceNotAllowed
from domain.ids import AudienceName


def audience_reads(names: Iterable[AudienceName]) -> list[Read]:
    """What `audience_in` needs to be read: nothing of those that are built in."""
    return [(audience.decider, audience.stream(name)) for name in dict.fromkeys(names) if name not in BUILT_IN]


def audience_in(tx: Transaction, name: AudienceName) -> Audience:
    return BUILT_IN.get(name) or tx.state(audience.decider, audience.stream(name))


def serves(tx: Transaction, account: Registered, name: AudienceName) -> bool:
    """Tell whether a service account acts for an audience now: it has it, and the audience's rules let it."""
    try:
        for_client(audience_in(tx, name), account.client_id)
    except AudienceNotAllowed:
        return False
    return name in account.audiences
