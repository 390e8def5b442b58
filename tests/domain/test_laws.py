"""What holds for every aggregate, whatever happened to it."""

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import codec
from domain.codec import EVENT_TYPES
from domain.decider import Decider
from domain.errors import Refused
from domain.event import Event
from tests.domain import examples as ex
from tests.domain.histories import WISHES, Wish, history
from tests.domain.strategies import any_event, events_of

CATEGORIES = sorted(WISHES)
quick = settings(max_examples=settings().max_examples // 5)
"""Each law runs for every aggregate or event, in the inner loop of daily work."""
NOT_IDEMPOTENT = {
    "change_password", "sign_out_everywhere", "issue", "refresh", "reauthenticate", "complete", "define", "remove",
    "revoke_tokens", "prove_email", "reset_password", "undo", "use",
    "offer_totp", "confirm_totp", "use_totp", "register_passkey", "use_passkey", "rename", "make_recovery_codes", "use_recovery_code",
    "pause_guessing",
    "consume", "prune", "seal", "name_device", "accept", "renew", "withdraw", "note",
}  # fmt: skip
"""Decisions whose repetition is a change of its own (an epoch, a generation, a fresh hash) or is refused."""


@pytest.mark.parametrize("category", CATEGORIES)
@quick
@given(data=st.data())
def test_any_prefix_folds(category: str, data: st.DataObject) -> None:
    decider, _ = WISHES[category]
    past = data.draw(history(category))
    for n in range(len(past) + 1):
        decider.fold(past[:n])


@pytest.mark.parametrize("category", CATEGORIES)
@quick
@given(data=st.data())
def test_folding_from_a_stored_state_is_folding_all(category: str, data: st.DataObject) -> None:
    decider, _ = WISHES[category]
    past = data.draw(history(category))
    cut = data.draw(st.integers(0, len(past)))
    stored = codec.encode_state(decider.fold(past[:cut]))
    assert decider.fold(past[cut:], codec.decode_state(decider, stored)) == decider.fold(past)


@pytest.mark.parametrize("category", CATEGORIES)
@quick
@given(data=st.data())
def test_a_state_comes_back_from_its_bytes_and_its_bytes_from_it(category: str, data: st.DataObject) -> None:
    decider, _ = WISHES[category]
    state = decider.fold(data.draw(history(category)))
    stored = codec.encode_state(state)
    again = codec.decode_state(decider, stored)
    assert again == state
    assert codec.encode_state(again) == stored


@pytest.mark.parametrize("category", CATEGORIES)
@quick
@given(data=st.data())
def test_refolding_decoded_events_gives_the_same_bytes_as_folding_them_live(category: str, data: st.DataObject) -> None:
    """What verification compares: heads are written from live folds, and checked against the log."""
    decider, _ = WISHES[category]
    past = data.draw(history(category))
    replayed = [codec.decode_event(codec.tag_of(e), codec.encode_event(e)) for e in past]
    assert codec.encode_state(decider.fold(replayed)) == codec.encode_state(decider.fold(past))


@pytest.mark.parametrize("category", CATEGORIES)
@settings(max_examples=40)
@given(data=st.data())
def test_deciding_twice_decides_once(category: str, data: st.DataObject) -> None:
    decider, wishes = WISHES[category]
    state = decider.fold(data.draw(history(category)))
    for wish in wishes:
        if wish.decision.__name__ not in NOT_IDEMPOTENT:
            assert decided_again(decider, state, wish) == [], wish.decision


def decided_again(decider: Decider[Any, Any], state: Any, wish: Wish) -> list[Event]:
    """What a decision adds to what it decided before. One that is refused the first time adds nothing."""
    try:
        after = decider.fold(wish.decision(state, **wish.facts, at=ex.NOW), state)
    except Refused:
        return []
    return list(wish.decision(after, **wish.facts, at=ex.NOW))


@quick
@given(any_event())
def test_every_event_comes_back_from_its_bytes(event: Event) -> None:
    payload = codec.encode_event(event)
    again = codec.decode_event(codec.tag_of(event), payload)
    assert again == event
    assert codec.encode_event(again) == payload


@quick
@given(any_event())
def test_every_payload_is_canonical(event: Event) -> None:
    payload = codec.encode_event(event)
    assert payload == canonical(msgspec.json.decode(payload))
    assert len(payload) <= 32_768


@quick
@given(any_event())
def test_sealed_fields_of_an_event_share_one_key(event: Event) -> None:
    sealed = [getattr(event, name) for name in codec.SEALED_FIELDS[codec.tag_of(event)] if getattr(event, name) is not None]
    assert codec.key_of(event) == (sealed[0].key_id if sealed else None)


@pytest.mark.parametrize("tag", sorted(tag for tag, fields in codec.SEALED_FIELDS.items() if len(fields) > 1))
@settings(max_examples=3)
@given(data=st.data())
def test_an_event_sealed_under_two_keys_is_not_written(tag: str, data: st.DataObject) -> None:
    event = data.draw(events_of(EVENT_TYPES[tag]))
    one, two = codec.SEALED_FIELDS[tag][:2]
    torn = msgspec.structs.replace(event, **{one: ex.EMAIL, two: ex.PASSWORD})
    with pytest.raises(ValueError, match="more than one key"):
        codec.key_of(torn)


def canonical(value: Any) -> bytes:
    """RFC 8785 for what events are made of, written apart from the encoder under test. Refuses what must not occur."""
    match value:
        case None | bool():
            return {None: b"null", True: b"true", False: b"false"}[value]
        case int():
            assert abs(value) < 2**53
            return str(value).encode()
        case str():
            return _text(value)
        case list():
            return b"[" + b",".join(canonical(item) for item in value) + b"]"
        case dict():
            assert all(key.isascii() for key in value)
            members = (_text(key) + b":" + canonical(value[key]) for key in sorted(value, key=lambda k: k.encode("utf-16-be")))
            return b"{" + b",".join(members) + b"}"
        case _:
            raise AssertionError(f"{type(value).__name__} has no place in an event")


_SHORT = {8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 34: '\\"', 92: "\\\\"}


def _text(text: str) -> bytes:
    written = (_SHORT.get(ord(c)) or (f"\\u{ord(c):04x}" if ord(c) < 32 else c) for c in text)
    return b'"' + "".join(written).encode() + b'"'
