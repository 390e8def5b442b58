"""A service account proves itself, with a secret or an assertion it signed (RFC 6749 2.3, RFC 7523 2.2).

Unknown, wrong, disabled and replayed look alike and cost the same. Nobody is locked out for it: 256 bits are not guessed, and whoever
tries with another's id must not be able to shut them out.
"""

from datetime import UTC, datetime
from uuid import UUID

from msgspec import Struct

from commands.client_secrets import opens
from commands.ports import Ports, PresentedAssertion
from commands.transact import Read, Transaction
from domain import client
from domain.client import Registered, live_secrets
from domain.client_events import SecretDigest
from domain.errors import InvalidClient
from domain.ids import ClientId, Digest, SecretId

_NOBODYS = SecretDigest(
    secret_id=SecretId(UUID(int=0)), digest=Digest("A" * 43), key_version=0, made_at=datetime(1970, 1, 1, tzinfo=UTC), expires_at=None
)
"""What no secret is: compared with, so that an unknown client costs what a known one does."""


class ShownSecret(Struct, frozen=True, kw_only=True):
    client_id: ClientId
    secret: str

    def __repr__(self) -> str:
        return f"ShownSecret(client_id={self.client_id})"


Shown = ShownSecret | PresentedAssertion


def client_read(shown: Shown) -> Read:
    return client.decider, client.stream(shown.client_id)


async def require_client(tx: Transaction, shown: Shown, ports: Ports) -> Registered:
    """Give the service account that has proved itself. Raises InvalidClient."""
    state = tx.state(client.decider, client.stream(shown.client_id))
    if isinstance(shown, ShownSecret):
        proved = _knows_secret(state, shown, ports, at=tx.at)
    else:
        proved = await _signed(state, shown, ports, at=tx.at)
    if not proved or not isinstance(state, Registered):
        raise InvalidClient
    ports.last_used.note(client.stream(state.client_id), at=tx.at)
    return state


def _knows_secret(state: client.Client, shown: ShownSecret, ports: Ports, *, at: datetime) -> bool:
    """Two comparisons, whoever it is."""
    known = [*(live_secrets(state, at=at) if isinstance(state, Registered) else ()), _NOBODYS, _NOBODYS][:2]
    compared = [opens(each, shown.client_id, shown.secret, ports) for each in known]
    return any(compared)


async def _signed(state: client.Client, shown: PresentedAssertion, ports: Ports, *, at: datetime) -> bool:
    """The signature first: nobody uses up the ids of another's assertions.

    Where no key is named two are looked at, one in use and one to come, and else one: nobody's, where the account has less, or is none.
    """
    if not ports.assertions.is_timely(shown, at=at):
        return False
    known = state.keys if isinstance(state, Registered) and state.enabled else ()
    fitting = [key for key in known if shown.kid in {None, key.kid} and key.algorithm == shown.algorithm]
    keys = [*fitting, *[None] * ((2 if shown.kid is None else 1) - len(fitting))]
    if not any(ports.assertions.is_signed_by(shown, key) for key in keys):
        return False
    return await ports.assertions.spend(shown)
