"""Secrets of service accounts: made here, shown once, kept as an HMAC."""

from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct

from commands.authority import caller_reads, require_within
from commands.context import Context
from commands.ports import Ports, SecretKind
from commands.shown_once import keep_shown, shown_before
from commands.transact import Done, read_states
from domain import client
from domain.client_events import SecretDigest
from domain.errors import SecretNotShownAgain
from domain.ids import ClientId, ClientSlug, SecretId
from domain.secret_text import SECRET_BYTES, is_written, written

PREFIX = "mcs_"
"""Minos client secret: what scanners look for."""


SecretTtl = Annotated[int, Meta(ge=3_600, le=731 * 86_400, description="Seconds that the secret lives; without it, until it is replaced.")]


class ClientSecret(Struct, frozen=True, kw_only=True):
    """A new secret. It cannot be shown again."""

    client_id: ClientSlug
    client_secret: str
    secret_id: SecretId
    expires_at: datetime | None

    def __repr__(self) -> str:
        return f"ClientSecret(client_id={self.client_id}, secret_id={self.secret_id})"


class DrawnSecret(Struct, frozen=True, kw_only=True):
    """A secret that is going to be somebody's."""

    client_id: ClientId
    secret_id: SecretId
    text: str

    def __repr__(self) -> str:
        return f"DrawnSecret(secret_id={self.secret_id})"


class MadeSecret(Struct, frozen=True, kw_only=True):
    """An answer without its secret, which is what is kept of it."""

    client_id: ClientSlug
    secret_id: SecretId
    expires_at: datetime | None


async def draw_secret(client_id: ClientId, ctx: Context, ports: Ports) -> DrawnSecret:
    """Give a new secret, kept for who asks again with the same Idempotency-Key."""
    text = written(PREFIX, ports.random.bytes(SECRET_BYTES))
    drawn = DrawnSecret(client_id=client_id, secret_id=SecretId(ports.random.uuid7()), text=text)
    await keep_shown(drawn.secret_id, drawn.text, ctx, ports)
    return drawn


def kept_as(drawn: DrawnSecret, ports: Ports, *, ttl: int | None, at: datetime) -> SecretDigest:
    """Give what is kept of it. `ttl` in seconds; without one it lives until it is replaced."""
    mac = ports.macs.secret(SecretKind.CLIENT_SECRET, drawn.client_id, drawn.text)
    expires_at = None if ttl is None else at + timedelta(seconds=ttl)
    return SecretDigest(secret_id=drawn.secret_id, digest=mac.digest, key_version=mac.key_version, made_at=at, expires_at=expires_at)


async def shown(done: Done[MadeSecret], drawn: DrawnSecret, ctx: Context, ports: Ports) -> Done[ClientSecret]:
    """Answer with the secret that was drawn; or, where another request with the same key was first, with that one's."""
    made = done.result
    if made.secret_id != drawn.secret_id:
        return await shown_again(done, ctx, ports)
    return Done(result=_answer(made, drawn.text), versions=done.versions, at=done.at, appended=done.appended)


async def shown_again(first: Done[MadeSecret], ctx: Context, ports: Ports) -> Done[ClientSecret]:
    """Answer as the first time, to whom it could still be given, while the secret opens something.

    Raises SecretNotShownAgain, RightsExceeded.
    """
    made, stream = first.result, client.stream(first.result.client_id)
    text = await shown_before(made.secret_id, ctx, ports)
    tx = await read_states(ports, [(client.decider, stream), *caller_reads(ctx)])
    state = tx.state(client.decider, stream)
    if not isinstance(state, client.Registered):
        raise SecretNotShownAgain
    require_within(state.permissions, ctx, tx)
    if not any(opens(each, made.client_id, text, ports) for each in client.live_secrets(state, at=tx.at)):
        raise SecretNotShownAgain
    return Done(result=_answer(made, text), versions=first.versions, appended=False)


def _answer(made: MadeSecret, text: str) -> ClientSecret:
    return ClientSecret(client_id=made.client_id, client_secret=text, secret_id=made.secret_id, expires_at=made.expires_at)


def opens(known: SecretDigest, client_id: ClientId, shown: str, ports: Ports) -> bool:
    """Tell whether a shown secret is this one; in the same time wherever it differs."""
    return is_written(shown, PREFIX) and ports.macs.secret_matches(
        SecretKind.CLIENT_SECRET, client_id, shown, digest=known.digest, key_version=known.key_version
    )
