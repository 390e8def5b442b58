"""Check the log of a Minos server without that server: bundles of its export, proofs of one event, signed checkpoints.

Written from the pages about the format alone (docs/reference/log-format.md), with the standard library and Ed25519: it shares no
code with the service, so that the two can disagree.
"""

from minos_sdk.audit.checkpoints import Checkpoint, NotACheckpoint, read_checkpoint
from minos_sdk.audit.findings import Finding, Kind, Report
from minos_sdk.audit.notes import Forged, LogKey, NotAKey
from minos_sdk.audit.proofs import NotProved, Proved, verify_proof
from minos_sdk.audit.verifying import verify_bundle

__all__ = [
    "Checkpoint",
    "Finding",
    "Forged",
    "Kind",
    "LogKey",
    "NotACheckpoint",
    "NotAKey",
    "NotProved",
    "Proved",
    "Report",
    "read_checkpoint",
    "verify_bundle",
    "verify_proof",
]
