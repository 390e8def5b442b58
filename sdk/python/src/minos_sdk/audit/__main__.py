"""Check a log without its server: `python -m minos_sdk.audit verify FOLDER`, `python -m minos_sdk.audit proof FILE`."""

import argparse
import json
import sys
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from time import monotonic

from minos_sdk.audit.bundle import NotABundle, Unreadable
from minos_sdk.audit.checkpoints import NotACheckpoint, unsigned_checkpoint
from minos_sdk.audit.findings import Findings, Report
from minos_sdk.audit.notes import LogKey, NotAKey
from minos_sdk.audit.proofs import NotProved, verify_proof
from minos_sdk.audit.verifying import verify_bundle

HOLDS, BROKEN, COULD_NOT = 0, 1, 2
UNKEPT = "no checkpoint kept from earlier was given (--kept): another history, signed with the log's own key, would hold as well"


class _Unusable(ValueError):
    """An argument cannot be used. The message says why."""


def main(argv: Sequence[str]) -> int:
    """Give 0 where everything holds, 1 where something does not, 2 where it could not be looked at."""
    options = _parser().parse_args(argv)
    try:
        code: int = options.act(options)
    except (NotABundle, NotAKey, Unreadable, _Unusable, OSError) as error:
        sys.stderr.write(f"{_words(error)}\n")
        return COULD_NOT
    return code


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m minos_sdk.audit", description="Check the log of a Minos server without that server.")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="walk through a whole bundle of `minos audit export`")
    verify.add_argument("folder", type=Path)
    verify.add_argument("--kept", metavar="FILE", action="append", default=[], help="a checkpoint kept from earlier; may be said again")
    verify.set_defaults(act=_verify)
    proof = actions.add_parser("proof", help="check the proof of one event (tlog-proof)")
    proof.add_argument("file", type=Path)
    proof.add_argument("--entry", metavar="FILE", type=Path, help="the entry, where the proof brings none")
    proof.set_defaults(act=_proof)
    for action in (verify, proof):
        action.add_argument("--key", action="append", default=[], help="the log's key, known from elsewhere: a line or a file of lines")
        action.add_argument("--json", action="store_true", help="print JSON")
    return parser


def _verify(options: argparse.Namespace) -> int:
    kept = [(name, _kept(Path(name))) for name in options.kept]
    bar = _Bar(quiet=options.json or not sys.stderr.isatty())
    report = verify_bundle(options.folder, keys=_keys(options.key) or None, kept=kept, progress=bar.at)
    bar.end()
    if not kept:
        report = replace(report, remarks=(*report.remarks, UNKEPT))
    print_report(report, as_json=options.json)
    return HOLDS if report.holds else BROKEN


def _kept(file: Path) -> bytes:
    """Tell a file that is no checkpoint, which is a mistake of who asks, from one that is wrong. Raises _Unusable, OSError."""
    raw = file.read_bytes()
    try:
        unsigned_checkpoint(raw)
    except NotACheckpoint as error:
        raise _Unusable(f"--kept: {file} is no checkpoint: {error}") from None
    return raw


def _proof(options: argparse.Namespace) -> int:
    keys = _keys(options.key)
    if not keys:
        raise _Unusable("say the log's key with --key: a proof is worth what its key is")
    entry = options.entry.read_bytes() if options.entry else None
    try:
        proved = verify_proof(options.file.read_bytes(), keys, entry=entry)
    except NotProved as error:
        sys.stdout.write(f"NOT PROVED: {error}\n")
        return BROKEN
    if options.json:
        said = {"position": proved.position, "origin": proved.checkpoint.origin, "size": proved.checkpoint.size}
        sys.stdout.write(json.dumps({**said, "entry": json.loads(proved.entry)}) + "\n")
    else:
        sys.stdout.write(f"PROVED: position {proved.position} of {proved.checkpoint.origin}, which had {proved.checkpoint.size} entries\n")
        sys.stdout.write(json.dumps(json.loads(proved.entry), indent=2, ensure_ascii=True) + "\n")
    return HOLDS


def print_report(report: Report, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(json.dumps(_as_json(report)) + "\n")
        return
    rate = report.size / report.seconds if report.seconds else 0.0
    counted = f"{report.size} entries, {report.pruned} of them only as hashes, {report.streams} streams, {report.checkpoints} checkpoints"
    lines = [f"{report.origin}: {counted} ({report.seconds:.1f} s, {rate:,.0f} entries/s)"]
    lines += [f"WRONG  {finding}" for finding in report.findings]
    lines += [f"WRONG  {kind.value}: {count} in all" for kind, count in report.counts.items() if count > Findings.MOST]
    lines += [f"note   {remark}" for remark in report.remarks]
    if report.holds:
        lines.append(_holds(report))
    sys.stdout.write("\n".join(line.encode("unicode_escape").decode() for line in lines) + "\n")


def _holds(report: Report) -> str:
    """Say it of no more than was proved: where entries were lost, of what was there before those, and of what came after."""
    here = f"up to size {report.size}, root {b64encode(report.root).decode()}"
    if not report.lost:
        return f"HOLDS: nothing was changed, reordered or dropped {here}"
    kept, epoch = min(loss.kept for loss in report.lost), max(loss.epoch for loss in report.lost)
    before = f"nothing was changed, reordered or dropped up to position {kept}"
    return f"HOLDS but for what was lost: {before}, and nothing since epoch {epoch} was opened {here}"


def _as_json(report: Report) -> dict[str, object]:
    return {
        "holds": report.holds,
        "origin": report.origin,
        "epoch": report.epoch,
        "size": report.size,
        "root": b64encode(report.root).decode(),
        "entries": report.entries,
        "pruned": report.pruned,
        "streams": report.streams,
        "checkpoints": report.checkpoints,
        "seconds": round(report.seconds, 3),
        "findings": [finding.as_json() for finding in report.findings],
        "counts": {kind.value: count for kind, count in report.counts.items()},
        "remarks": list(report.remarks),
        "lost": [loss._asdict() for loss in report.lost],
    }


def _keys(said: Sequence[str]) -> list[LogKey]:
    """Each is a key itself, or a file with one on each line. Raises NotAKey, _Unusable, OSError."""
    keys: list[LogKey] = []
    for one in said:
        if not Path(one).is_file() and one.count("+") < 2:
            raise _Unusable(f"--key: {one} is neither a file nor the line of a key, <name>+<id>+<base64>")
        lines = Path(one).read_text().splitlines() if Path(one).is_file() else [one]
        keys += [LogKey.parse(line) for line in lines if line.strip()]
    return keys


class _Bar:
    """One line that says how far it is, how fast, and how long it will take."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._began = self._told = monotonic()

    def at(self, done: int, total: int) -> None:
        now = monotonic()
        if self._quiet or (now - self._told < 0.2 and done < total):
            return
        self._told = now
        rate = done / max(now - self._began, 0.001)
        left = (total - done) / rate
        sys.stderr.write(f"\r{done:,} of {total:,} entries, {rate:,.0f}/s, {left:,.0f} s left \x1b[K")
        sys.stderr.flush()

    def end(self) -> None:
        if not self._quiet:
            sys.stderr.write("\r\x1b[K")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
