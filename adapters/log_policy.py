"""The policy of MINOS_LOG_POLICY: which witnesses are asked to cosign this log, and how many of them it takes."""

from pathlib import Path
from urllib.parse import urlsplit

from adapters import plain_file
from adapters.note_keys import verifies
from domain.tree.checkpoint import BadCheckpoint
from domain.tree.cosignature import Forged
from domain.tree.note import BadNote, VerifierKey, read_note
from domain.tree.policy import NotValid, Policy, judge
from domain.tree.policy_file import BadPolicy, read_policy

_LARGEST_FILE = 256 * 1024


class BadLogPolicy(Exception):
    """The file cannot be used. The message names the setting and says in what."""


def load(path: Path | None) -> Policy | None:
    """None where none is set. Raises BadLogPolicy."""
    if path is None:
        return None
    try:
        policy = read_policy(plain_file.small(path, most=_LARGEST_FILE))
    except (OSError, BadPolicy) as error:
        raise BadLogPolicy(f"MINOS_LOG_POLICY: {path}: {getattr(error, 'strerror', None) or error}") from None
    if policy.quorum is None:
        raise BadLogPolicy("MINOS_LOG_POLICY: `quorum none` asks for no witness: name a quorum, or leave the setting out")
    for witness in policy.witnesses:
        if witness.url is not None and not _is_url(witness.url):
            raise BadLogPolicy(f"MINOS_LOG_POLICY: the URL of {witness.name} is no http(s) URL without user, query and fragment")
    if not policy.is_met([witness.name for witness in policy.witnesses if witness.url is not None]):
        raise BadLogPolicy("MINOS_LOG_POLICY: the quorum cannot be met by the witnesses that have a URL: nobody else is asked")
    return policy


def is_cosigned(policy: Policy, note: str, log: VerifierKey) -> bool:
    """Tell whether the log of this key signed the note, and the quorum cosigned it."""
    try:
        judge(policy, read_note(note), verifies, logs=[log])
    except (BadNote, BadCheckpoint, Forged, NotValid):
        return False
    return True


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        known = parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False
    return known and not (parts.query or parts.fragment or parts.username or not url.isascii())
