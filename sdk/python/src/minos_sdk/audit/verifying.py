"""A whole bundle checked: every entry, tile, root and signature, in memory that does not grow with the log."""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

from minos_sdk.audit.bundle import Bundle
from minos_sdk.audit.findings import Findings, Report
from minos_sdk.audit.judging import epoch_of
from minos_sdk.audit.notes import LogKey
from minos_sdk.audit.streams import Streams
from minos_sdk.audit.walking import Progress, Walk


def verify_bundle(
    folder: Path,
    *,
    keys: Sequence[LogKey] | None = None,
    kept: Sequence[tuple[str, bytes]] = (),
    progress: Progress = lambda _done, _total: None,
) -> Report:
    """Walk through a bundle once. `keys` are those known from elsewhere; without them the bundle's own, which proves less.

    `kept` are checkpoints kept from earlier, each with a name: this log must be what they were of. Raises NotABundle, and NotAKey for
    a bundle whose own key is none.
    """
    bundle = Bundle(folder)
    began = monotonic()
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="minos-audit-") as scratch:
        streams = Streams(Path(scratch), bundle.manifest.size)
        walk = Walk(bundle, bundle.keys if keys is None else keys, findings, streams)
        walk.through(kept, progress)
        remarks = [str(loss) for loss in walk.lost]
        if keys is None:
            remarks.append("the key came with the bundle: that it is the log's own must be known from elsewhere")
    manifest = bundle.manifest
    return Report(
        origin=manifest.origin,
        epoch=epoch_of(manifest.origin)[1],
        size=manifest.size,
        root=walk.frontier.root(),
        entries=manifest.size - walk.pruned,
        pruned=walk.pruned,
        checkpoints=walk.judge.count,
        streams=streams.count,
        seconds=monotonic() - began,
        findings=tuple(findings.kept),
        counts=dict(findings.counts),
        remarks=tuple(remarks),
        lost=tuple(walk.lost),
    )
