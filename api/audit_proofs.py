"""Ready-made answers about the log's tree, for whoever does not read tiles."""

import base64
from datetime import datetime
from typing import Annotated

from litestar import Controller, get
from litestar.params import QueryParameter
from msgspec import Struct

from adapters.checkpoint_key import read_log_name
from api.asking import Asking, refused_query
from api.log_tree import newest_public
from api.refuse import refuses
from domain import errors

_LARGEST = 2**53 - 1
Size = Annotated[int, QueryParameter(ge=0, le=_LARGEST, description="Of a tree, in entries.")]


class NewestCheckpoint(Struct, frozen=True, kw_only=True):
    """`note` is what is signed and by whom; all else is there to be read. `key` is the log's, as C2SP signed-note writes it: whoever checks
    should have it from elsewhere."""

    epoch: int
    origin: str
    size: int
    root: str
    note: str
    key: str
    url: str
    """Where tiles of this epoch are."""
    signed_at: datetime


class Consistency(Struct, frozen=True, kw_only=True):
    """That the tree of `first` entries is the beginning of that of `second` (RFC 6962 2.1.2). Hashes in base64."""

    first: int
    second: int
    hashes: list[str]


class AuditProofs(Controller):
    path = "/api/v1/audit"
    tags = ("audit",)

    @get(
        "/checkpoint",
        operation_id="readNewestCheckpoint",
        summary="The newest checkpoint, of the latest epoch",
        responses=refuses(errors.LogNotPublic, errors.NoCheckpoint),
    )
    async def checkpoint(self, request: Asking) -> NewestCheckpoint:
        newest = await newest_public(request, None)
        name = await read_log_name(request.world.tree.links)
        if name is None:
            raise errors.NoCheckpoint
        return NewestCheckpoint(
            epoch=newest.epoch,
            origin=name.origin(newest.epoch),
            size=newest.size,
            root=base64.b64encode(newest.root).decode(),
            note=newest.note,
            key=name.verifier(newest.epoch).line(),
            url=f"{request.world.settings.issuer}/log" + ("" if newest.epoch == 1 else f"/{newest.epoch}"),
            signed_at=newest.signed_at,
        )

    @get(
        "/proofs/consistency",
        operation_id="proveConsistency",
        summary="Prove that the log only grew",
        description="From one size of the tree to another, of the latest epoch. Whoever has the root at both can check it.",
        responses=refuses(errors.LogNotPublic, errors.NoCheckpoint, errors.TreeTooSmall),
    )
    async def consistency(self, request: Asking, first: Size, second: Size) -> Consistency:
        newest = await newest_public(request, None)
        if first > second:
            raise refused_query("first", "invalid", "No tree is the beginning of a smaller one.")
        if second > newest.size:
            raise errors.TreeTooSmall
        path = await request.world.tree.consistency(first, second)
        return Consistency(first=first, second=second, hashes=[base64.b64encode(each).decode() for each in path])
