from math import inf

from hypothesis import given
from hypothesis import strategies as st

from minos_sdk.progress import Progress, freshness_at


def test_three_seconds_are_fresh_and_five_are_late() -> None:
    assert [freshness_at(age).state for age in (0, 2.9, 3, 4.9, 5, inf)] == ["fresh", "fresh", "late", "late", "blind", "blind"]


def test_a_copy_that_skips_a_number_shows_a_hole() -> None:
    progress = Progress()
    progress.reached(1, 3)
    assert progress.saw(1, 4)
    assert not progress.saw(1, 6)
    assert progress.lacks(1, 6)


@given(st.permutations(range(1, 12)))
def test_copies_in_any_order_leave_no_hole(counts: list[int]) -> None:
    progress = Progress()
    progress.reached(1, 0)
    for count in counts:
        progress.saw(1, count)
    assert progress.count == 11


def test_a_new_epoch_is_a_hole_until_it_was_read() -> None:
    progress = Progress()
    progress.reached(1, 900)
    assert not progress.saw(2, 1)
    assert progress.lacks(2, 0)
    progress.reached(2, 5)
    assert not progress.lacks(2, 5)


def test_an_earlier_epoch_takes_nothing_back() -> None:
    progress = Progress()
    progress.reached(2, 5)
    assert progress.saw(1, 900)
    progress.reached(1, 900)
    assert (progress.epoch, progress.count) == (2, 5)


def test_a_heartbeat_heard_again_is_no_news() -> None:
    progress = Progress()
    assert progress.complete(1_000.0, at=1.0)
    assert not progress.complete(1_000.0, at=2.0)
    assert not progress.complete(999.0, at=3.0)
    assert progress.advanced_at == 1.0


def test_attack_heartbeats_let_through_slowly_are_no_freshness() -> None:
    """Each comes within three seconds of the one before, and says what was complete ever longer ago."""
    progress, at = Progress(), 0.0
    for beat in range(60):
        at = beat * 2.5
        progress.complete(1_000.0 + beat, at=at)
    assert at - progress.advanced_at > 60


def test_attack_heartbeats_let_through_slower_by_a_hundredth() -> None:
    """Somebody patient in between: a day of this, and what was complete a quarter of an hour ago would be the news."""
    progress = Progress()
    kept = [progress.complete(1_000.0 + beat * 0.99, at=float(beat)) for beat in range(3_600)]
    assert all(kept[:1_000])
    assert not any(kept[1_300:])


def test_what_was_asked_for_long_before_it_was_written_makes_nothing_after_it_late() -> None:
    progress = Progress()
    assert progress.complete(1_060.0, at=0.0, heard_at=60.0)
    assert progress.advanced_at == 0.0
    assert all(progress.complete(1_000.0 + beat, at=float(beat)) for beat in range(61, 100))


def test_attack_answer_kept_back_for_longer_than_a_feed_may_lag() -> None:
    progress = Progress()
    assert progress.complete(1_000.0, at=0.0)
    assert not progress.complete(1_001.0, at=12.0, heard_at=30.0)
    assert progress.advanced_at == 0.0


def test_a_clock_that_is_slower_by_a_thousandth_stays_fresh() -> None:
    progress = Progress()
    assert all(progress.complete(1_000.0 + beat * 0.999, at=float(beat)) for beat in range(50_000))


def test_what_was_seen_of_one_epoch_fills_no_gap_of_another() -> None:
    progress = Progress()
    progress.reached(1, 1)
    assert not progress.saw(1, 3)
    assert [progress.has_gap(epoch, 3, told) for epoch, told in ((1, {2}), (1, set[int]()), (2, {1, 2}), (2, {1, 2, 3}))] == [
        False, True, True, False,
    ]  # fmt: skip
