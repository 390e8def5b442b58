"""Signing keys and the stage each is in. What verifies tokens right now is asked of the heads, not here."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from domain.event import Recorded
from domain.ids import Kid
from domain.signing_key import (
    Algorithm,
    KeyRevocation,
    Purpose,
    SigningKeyCreated,
    SigningKeyPledged,
    SigningKeyPromoted,
    SigningKeyRetired,
    SigningKeyRevoked,
    stream,
)
from projections.completion import Completed, completed
from projections.projection import Entity, begins, when
from projections.reading import Page, ReadModels
from projections.sql import beside


class KeyStage(StrEnum):
    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRING = "retiring"
    REVOKED = "revoked"


class SigningKeyRow(Struct, frozen=True, kw_only=True):
    kid: Kid
    purpose: Purpose
    algorithm: Algorithm
    stage: KeyStage
    created_at: datetime
    promoted_at: datetime | None
    retired_at: datetime | None
    verify_until: datetime | None
    """While retiring: past it no token it signed can be valid."""
    revoked_at: datetime | None
    revoke_reason: KeyRevocation | None


def _created(recorded: Recorded[SigningKeyCreated]) -> SigningKeyRow:
    event = recorded.event
    return SigningKeyRow(
        kid=event.kid,
        purpose=event.purpose,
        algorithm=event.algorithm,
        stage=KeyStage.PUBLISHED,
        created_at=event.at,
        promoted_at=None,
        retired_at=None,
        verify_until=None,
        revoked_at=None,
        revoke_reason=None,
    )


def _promoted(row: SigningKeyRow, recorded: Recorded[SigningKeyPromoted]) -> SigningKeyRow:
    return replace(row, stage=KeyStage.ACTIVE, promoted_at=recorded.event.at)


def _retired(row: SigningKeyRow, recorded: Recorded[SigningKeyRetired]) -> SigningKeyRow:
    event = recorded.event
    return replace(row, stage=KeyStage.RETIRING, retired_at=event.at, verify_until=event.verify_until)


def _revoked(row: SigningKeyRow, recorded: Recorded[SigningKeyRevoked]) -> SigningKeyRow:
    event = recorded.event
    return replace(row, stage=KeyStage.REVOKED, revoked_at=event.at, revoke_reason=event.reason)


_SQL = beside(__file__)

signing_keys = Entity(
    "signing_keys",
    2,
    "signing_key",
    SigningKeyRow,
    (
        begins(SigningKeyCreated, _created),
        when(SigningKeyPromoted, _promoted),
        when(SigningKeyRetired, _retired),
        when(SigningKeyRevoked, _revoked),
    ),
    ignores=(SigningKeyPledged,),
    sql=_SQL,
)


async def page(
    models: ReadModels, *, stage: KeyStage | None = None, purpose: Purpose | None = None, after: Kid | None = None, limit: int = 50
) -> Page[SigningKeyRow, Kid]:
    """List signing keys by thumbprint, so that a page has a place to go on from; those of one stage or purpose if asked.

    Raises StoreUnavailable.
    """
    asked = {"with_stage": stage, "for_purpose": purpose, "after": after}
    return await models.page(signing_keys, asked, limit, lambda row: row.kid)


async def active_since(models: ReadModels) -> Mapping[Purpose, datetime]:
    """Give since when the oldest key of each purpose that signs now does so. Raises StoreUnavailable."""
    records = await models.fetch(signing_keys, _SQL["active_since"])
    return {Purpose(record["purpose"]): record["since"] for record in records}


async def get(models: ReadModels, kid: Kid) -> Completed[SigningKeyRow] | None:
    """Give one key as its stream is now. None when there never was one."""
    return await completed(models, signing_keys, stream(kid))
