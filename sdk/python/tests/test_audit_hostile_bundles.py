"""A bundle made to fool its verifier, or to keep it busy, is found out or refused."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from bundles import Made, Signer, change, entry, history, manifest

from minos_sdk.audit import Kind, LogKey, Report, verify_bundle
from minos_sdk.audit.bundle import NotABundle

SIGNER = Signer()
SAID = {"first_position": 1, "last_position": 20, "partition": 0}


def checked(folder: Path) -> Report:
    return verify_bundle(folder, keys=[LogKey.parse(SIGNER.line)])


def found(report: Report) -> list[tuple[Kind, int | None]]:
    return [(finding.kind, finding.position) for finding in report.findings]


def said_in(folder: Path, **members: Any) -> Path:
    """Change what the manifest says."""
    change(folder / "manifest.json", lambda raw: json.dumps(json.loads(raw) | members).encode())
    return folder


@pytest.mark.parametrize("count", [0, 1, 2])
def test_attack_an_entry_hidden_among_those_that_were_pruned(tmp_path: Path, count: int) -> None:
    """Of what is held back nothing can be seen but how much it is: no more than the log itself says."""
    whole = Made([*history(40), entry("log", 1, "log.pruned.v1", count=count, **SAID)], SIGNER, pruned={2, 9})
    assert found(checked(whole.write(tmp_path))) == ([] if count == 2 else [(Kind.ENTRY_WITHHELD, 1)])


def test_what_was_pruned_in_two_goes_and_then_moved_away_is_no_finding(tmp_path: Path) -> None:
    said = [
        entry("log", 1, "log.pruned.v1", count=2, **SAID),
        entry("log", 2, "log.pruned.v1", count=1, **SAID),
        entry("log", 3, "log.detached.v1", first_position=1, last_position=10, partition=0),
    ]
    report = checked(Made([*history(40), *said], SIGNER, pruned={*range(10), 12, 14, 16}).write(tmp_path / "as said"))
    assert report.holds, report.findings
    assert found(checked(Made([*history(40), *said], SIGNER, pruned={*range(10), 12, 14, 16, 18}).write(tmp_path / "one more"))) == [
        (Kind.ENTRY_WITHHELD, 1)
    ]


def test_attack_an_entry_of_many_layers(tmp_path: Path) -> None:
    deep = entry("user-1", 1).replace(b'"payload":{', b'"payload":{"a":' + b"[" * 20_000 + b"]" * 20_000 + b",")
    assert found(checked(Made([deep, b"[" * 60_000], SIGNER).write(tmp_path))) == [(Kind.ENTRY_BROKEN, 1), (Kind.ENTRY_BROKEN, 2)]


@pytest.mark.parametrize("version", [2**31, 2**32, 2**53])
def test_attack_a_version_that_no_stream_has(tmp_path: Path, version: int) -> None:
    assert found(checked(Made([entry("user-1", version)], SIGNER).write(tmp_path))) == [(Kind.ENTRY_BROKEN, 1)]


@pytest.mark.parametrize("path", ["checkpoints/../secret", "checkpoints/1/../../secret"])
def test_attack_a_file_outside_of_the_bundle(tmp_path: Path, path: str) -> None:
    """It is named, and not read: nothing is said of what is in it."""
    folder = Made(history(3), SIGNER).write(tmp_path / "bundle")
    (tmp_path / "bundle/secret").write_text("nobody else's business\n")
    report = checked(said_in(folder, files={path: "0" * 64}))
    assert [(each.kind, each.path) for each in report.findings] == [(Kind.BUNDLE_DAMAGED, path)]


@pytest.mark.parametrize("path", ["checkpoint", "checkpoints/1/000000.ndjson"])
def test_attack_a_pipe_in_the_place_of_a_file(tmp_path: Path, path: str) -> None:
    folder = Made(history(3), SIGNER).write(tmp_path)
    (folder / path).unlink()
    os.mkfifo(folder / path)
    assert not checked(folder).holds


def test_attack_a_device_in_the_place_of_the_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").symlink_to("/dev/zero")
    with pytest.raises(NotABundle, match="cannot be read"):
        checked(tmp_path)


@pytest.mark.parametrize(
    "raw", [b"[" * 100_000, b"[]", b"null", b'"x"', b'{"format":"minos-audit-bundle/1","parts":[],"size":0,"files":[]}']
)
def test_attack_a_manifest_that_is_none(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / "manifest.json").write_bytes(raw)
    with pytest.raises(NotABundle):
        checked(tmp_path)


@pytest.mark.parametrize("line", [b"[" * 100_000, b'{"note":' * 50_000, b'{"note":1}', b"x"])
def test_attack_a_checkpoint_that_is_no_line(tmp_path: Path, line: bytes) -> None:
    folder = Made(history(3), SIGNER).write(tmp_path)
    (folder / "checkpoints/1/000000.ndjson").write_bytes(line + b"\n")
    manifest(folder, 3)
    assert (Kind.CHECKPOINT_BROKEN, None) in found(checked(folder))


@pytest.mark.parametrize("size", [2**28, 2**50, 2**62])
def test_attack_a_size_that_nobody_walks_to_the_end_of(tmp_path: Path, size: int) -> None:
    """It is refused before the first step: each tile that is not there would be looked for."""
    folder = Made(history(300), SIGNER).write(tmp_path)
    said_in(folder, size=size, parts=[{"first": 1, "last": size, "sha256": "0" * 64}])
    with pytest.raises(NotABundle, match=f"says that it has {size} entries, in {size // 256} tiles, and 2 tiles are there"):
        checked(folder)
