"""A bundle is believed when all of it fits, and what does not is said by its name and place."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from bundles import Made, Signer, change, entry, flip, hashes_of, history, manifest, path_of, root

from minos_sdk.audit import Finding, Kind, LogKey, Report, verify_bundle
from minos_sdk.audit.__main__ import HOLDS, main
from minos_sdk.audit.bundle import NotABundle

SIGNER = Signer()
SIZE = 256 * 3 + 40
LONGEST = entry("user-0", 1, x="a" * (65_535 - len(entry("user-0", 1, x=""))))


def checked(folder: Path, kept: Sequence[tuple[str, bytes]] = ()) -> Report:
    return verify_bundle(folder, keys=[LogKey.parse(SIGNER.line)], kept=kept)


def kinds(report: Report, *, but: Sequence[Kind] = (Kind.BUNDLE_DAMAGED,)) -> list[tuple[Kind, int | None]]:
    return [(finding.kind, finding.position) for finding in report.findings if finding.kind not in but]


def made(size: int = SIZE, sizes: Sequence[int] = (1, 2, 255, 256, 257, 700)) -> Made:
    return Made(history(size), SIGNER, [each for each in sizes if each < size])


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return made().write(tmp_path / "bundle")


@pytest.mark.parametrize("size", [1, 2, 255, 256, 257, 513, SIZE])
def test_an_honest_bundle_holds_at_any_size(tmp_path: Path, size: int) -> None:
    report = checked(made(size).write(tmp_path))
    assert report.holds, report.findings
    assert (report.size, report.root, report.streams) == (size, root(hashes_of(history(size))), min(7, size))
    assert report.remarks == ()


def test_tiles_of_tiles_are_checked(tmp_path: Path) -> None:
    folder = made(65_536 + 300, sizes=(65_536, 65_537)).write(tmp_path)
    assert checked(folder).holds
    change(folder / path_of(1, 0), flip(32 * 77))
    assert [(found.kind, found.tile) for found in checked(folder).findings] == [(Kind.TILE_CHANGED, (1, 0))]


def test_a_key_that_came_with_the_bundle_is_remarked_upon(bundle: Path) -> None:
    report = verify_bundle(bundle)
    assert report.holds
    assert "known from elsewhere" in report.remarks[0]


def test_an_entry_of_65535_bytes_is_the_longest(tmp_path: Path) -> None:
    assert len(LONGEST) == 65_535
    assert checked(Made([LONGEST], SIGNER).write(tmp_path / "fits")).holds
    with pytest.raises(OverflowError):
        Made([LONGEST + b" "], SIGNER).write(tmp_path / "does not")


@pytest.mark.parametrize("position", [1, 256, 300, SIZE])
def test_one_bit_in_an_entry(bundle: Path, position: int) -> None:
    number = (position - 1) // 256
    width = min(256, SIZE - number * 256)
    before = history(SIZE)[number * 256 : position - 1]
    change(bundle / path_of("entries", number, width), flip(sum(len(each) + 2 for each in before) + 60))
    assert kinds(checked(bundle), but=(Kind.BUNDLE_DAMAGED, Kind.ENTRY_BROKEN)) == [(Kind.ENTRY_CHANGED, position)]


@pytest.mark.parametrize("position", [1, 300, SIZE])
def test_one_bit_in_a_tile(bundle: Path, position: int) -> None:
    number, at = divmod(position - 1, 256)
    change(bundle / path_of(0, number, min(256, SIZE - number * 256)), flip(at * 32))
    assert kinds(checked(bundle)) == [(Kind.TILE_CHANGED, position)]


def test_one_bit_in_the_checkpoint(bundle: Path) -> None:
    change(bundle / "checkpoint", lambda raw: raw.replace(b"\n808\n", b"\n809\n"))
    assert {kind for kind, _ in kinds(checked(bundle))} == {Kind.CHECKPOINT_FORGED, Kind.CHECKPOINT_BROKEN}


@pytest.mark.parametrize("path", ["key", "checkpoints/1/000000.ndjson", "checkpoint"])
def test_one_bit_anywhere_else(bundle: Path, path: str) -> None:
    change(bundle / path, flip(40))
    assert (Kind.BUNDLE_DAMAGED, path) in [(found.kind, found.path) for found in checked(bundle).findings]


def _without(at: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda entries: entries[:at] + entries[at + 1 :]


def _swapped(one: int, other: int) -> Callable[[list[bytes]], list[bytes]]:
    def swap(entries: list[bytes]) -> list[bytes]:
        entries[one], entries[other] = entries[other], entries[one]
        return entries

    return swap


def _rewritten(at: int) -> Callable[[list[bytes]], list[bytes]]:
    return lambda entries: [*entries[:at], entries[at].replace(b"system:cli", b"system:bob"), *entries[at + 1 :]]


def altered(folder: Path, by: Callable[[list[bytes]], list[bytes]]) -> Path:
    """The entries alone are others than those that were hashed and signed; the manifest fits them."""
    honest, other = made(), made()
    other.entries = by(other.entries)
    other.write(folder)
    for path in (folder / "tile/0").rglob("*"):
        if path.is_file():
            path.unlink()
    honest.write(folder / "honest")
    for path in (folder / "honest/tile/0").rglob("*"):
        if path.is_file():
            path.rename(folder / path.relative_to(folder / "honest"))
    return folder


@pytest.mark.parametrize("at", [1, 256, 500])
def test_one_entry_dropped_and_the_others_moved_up(tmp_path: Path, at: int) -> None:
    folder = altered(tmp_path, lambda entries: [*_without(at)(entries), entry("user-9", 1)])
    assert (Kind.ENTRY_MISSING, at + 1) in kinds(checked(folder))
    assert len(kinds(checked(folder), but=(Kind.STREAM_GAP,))) <= 2, "what moved up is no further fault"


@pytest.mark.parametrize(("one", "other"), [(300, 301), (7, 600), (SIZE - 1, 3)])
def test_two_entries_swapped(tmp_path: Path, one: int, other: int) -> None:
    found = kinds(checked(altered(tmp_path, _swapped(one, other))), but=(Kind.STREAM_GAP, Kind.STREAM_REPEATS))
    assert found == [(Kind.ENTRIES_SWAPPED, min(one, other) + 1)]


def test_a_rewritten_history_does_not_fit_what_was_signed(tmp_path: Path) -> None:
    lie, honest = Made(_rewritten(290)(history(SIZE)), SIGNER), made()
    lie.notes, lie.checkpoint = honest.notes, honest.checkpoint
    (finding,) = checked(lie.write(tmp_path)).findings
    assert (finding.kind, finding.position, finding.size) == (Kind.HISTORY_REWRITTEN, 258, 700)


def test_a_rewritten_history_signed_by_another_key(tmp_path: Path) -> None:
    lie = Made(_rewritten(290)(history(SIZE)), Signer(), (700,))
    assert {kind for kind, _ in kinds(checked(lie.write(tmp_path)))} == {Kind.CHECKPOINT_FORGED}


def test_a_rewritten_history_signed_by_the_log_itself_does_not_fit_what_was_kept(tmp_path: Path) -> None:
    kept = made().notes[1, 700].encode()
    folder = Made(_rewritten(290)(history(SIZE)), SIGNER).write(tmp_path)
    assert checked(folder).holds
    assert kinds(checked(folder, [("kept", kept)])) == [(Kind.HISTORY_REWRITTEN, 1)]


def test_a_checkpoint_of_another_tree_between_those_of_this_one(tmp_path: Path) -> None:
    lie = made()
    lie.notes[1, 300] = SIGNER.note(300, root(hashes_of(history(299))))
    assert [(each.kind, each.size) for each in checked(lie.write(tmp_path)).findings] == [(Kind.CHECKPOINT_DIFFERS, 300)]


def test_a_tail_dropped_does_not_fit_what_was_kept(tmp_path: Path) -> None:
    kept = made().notes[1, SIZE].encode()
    folder = made(700).write(tmp_path)
    assert checked(folder).holds
    assert kinds(checked(folder, [("kept", kept)])) == [(Kind.TAIL_DROPPED, 701)]


def test_a_bundle_cut_off_lacks_what_its_manifest_says(bundle: Path) -> None:
    (bundle / path_of("entries", 3, 40)).unlink()
    (bundle / path_of(0, 3, 40)).unlink()
    assert {kind for kind, _ in kinds(checked(bundle))} == {Kind.ENTRY_MISSING, Kind.TILE_MISSING, Kind.HISTORY_REWRITTEN}


def test_a_stream_that_leaves_a_version_out(tmp_path: Path) -> None:
    entries = [entry("user-1", 1), entry("user-2", 1), entry("user-1", 3), entry("user-2", 1)]
    found = checked(Made(entries, SIGNER).write(tmp_path)).findings
    assert [(each.kind, each.position, each.stream, each.version) for each in found] == [
        (Kind.STREAM_GAP, 3, "user-1", 3),
        (Kind.STREAM_REPEATS, 4, "user-2", 1),
    ]


def test_entries_pruned_as_the_log_says_are_hash_only(tmp_path: Path) -> None:
    said = entry("log", 1, "log.pruned.v1", first_position=1, last_position=20, count=3, partition=0)
    whole = Made([*history(40), said], SIGNER, pruned={2, 9, 10})
    report = checked(whole.write(tmp_path))
    assert report.holds, report.findings
    assert (report.pruned, report.entries) == (3, 38)


def test_entries_held_back_that_the_log_says_nothing_of(tmp_path: Path) -> None:
    said = entry("log", 1, "log.pruned.v1", first_position=1, last_position=20, count=3, partition=0)
    whole = Made([*history(40), said], SIGNER, pruned={2, 30})
    assert kinds(checked(whole.write(tmp_path))) == [(Kind.ENTRY_WITHHELD, 31)]


def test_what_is_no_canonical_json_is_no_entry(tmp_path: Path) -> None:
    good = entry("user-1", 1)
    spaced, doubled = good.replace(b'"v":1', b'"v": 1'), good.replace(b'"v":1', b'"v":1,"v":1')
    floating, large = good.replace(b'"v":1', b'"v":1.0'), good.replace(b"1795000000000000", b"9007199254740993")
    folder = Made([spaced, doubled, floating, large, b"[]", b"\xff", good], SIGNER).write(tmp_path)
    assert kinds(checked(folder)) == [(Kind.ENTRY_BROKEN, position) for position in range(1, 7)]


def test_a_folder_without_a_manifest_is_no_bundle(tmp_path: Path) -> None:
    with pytest.raises(NotABundle):
        verify_bundle(tmp_path)


def test_findings_are_bounded_and_counted(tmp_path: Path) -> None:
    folder = Made([entry("user-1", 5)] * 300, SIGNER).write(tmp_path)
    report = checked(folder)
    assert len(report.findings) < 250
    assert sum(report.counts.values()) >= 300


def reopened(tmp_path: Path, **earlier: object) -> Path:
    """A log that lost what was behind position 40: another epoch was opened there."""
    kept = history(40)
    opened = entry("log", 1, "log.epoch_opened.v1", epoch=2, kept=40, agreed=40, **earlier)
    second = Signer(f"{SIGNER.origin}/2", SIGNER.key)
    log = Made([*kept, opened, *history(60)[40:]], second)
    log.notes = {(2, 61): log.checkpoint, (1, 30): SIGNER.note(30, root(log.hashes[:30]))}
    folder = log.write(tmp_path)
    manifest(folder, 61, second.origin)
    return folder


LOST = SIGNER.note(50, root(hashes_of(history(50)))).encode()


@pytest.mark.parametrize("kept", [[], [("kept", LOST)]])
@pytest.mark.parametrize("said", [True, False])
def test_lost_entries_are_told_of_where_a_later_epoch_says_so(tmp_path: Path, kept: list[tuple[str, bytes]], said: bool) -> None:
    """By the log itself, which cites what was published last, or by a checkpoint that somebody kept."""
    report = checked(reopened(tmp_path, **({"earlier": {"origin": SIGNER.origin, "size": 50, "root": ""}} if said else {})), kept)
    assert report.holds, report.findings
    assert [tuple(loss) for loss in report.lost] == ([(2, 40, 50)] if said or kept else [])
    assert any("behind position 40 were lost when epoch 2 was opened" in remark for remark in report.remarks) == bool(report.lost)


def test_what_is_said_to_hold_ends_where_entries_were_lost(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = reopened(tmp_path, earlier={"origin": SIGNER.origin, "size": 50, "root": ""})
    assert main(["verify", str(folder), "--key", SIGNER.line]) == HOLDS
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("HOLDS but for what was lost: nothing was changed, reordered or dropped up to position 40, ")
    assert "and nothing since epoch 2 was opened up to size 61, root " in last
    assert main(["verify", str(folder), "--key", SIGNER.line, "--json"]) == HOLDS
    assert json.loads(capsys.readouterr().out)["lost"] == [{"epoch": 2, "kept": 40, "published": 50}]


def test_a_checkpoint_is_counted_once_however_many_places_have_it(tmp_path: Path) -> None:
    """The newest is in a file of its own and among the others; it may have been kept, too."""
    log = made(300, sizes=(100, 200))
    folder = log.write(tmp_path)
    assert checked(folder, [("kept", log.notes[1, 200].encode())]).checkpoints == 3
    other = SIGNER.note(200, root(hashes_of(history(199)))).encode()
    assert checked(folder, [("another", other)]).checkpoints == 4


def test_a_finding_says_where_it_is(bundle: Path) -> None:
    change(bundle / path_of(0, 1), flip(0))
    finding: Finding = checked(bundle).findings[0]
    assert finding.as_json()["kind"] == "tile_changed"
    assert finding.as_json()["tile"] == (0, 1)
