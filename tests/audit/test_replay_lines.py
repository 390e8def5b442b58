"""A line of a replay: what the tree proves of an event, and of sealed fields that they are sealed, or what they say."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from adapters.memory_vault import MemoryVault
from adapters.replay_lines import CREDENTIALS, revealed_lines, sealed_lines
from commands.ports import StoredEvent
from domain.codec import SEALED_FIELDS, encode_event, key_of, tag_of
from domain.errors import UnknownEventTag
from domain.event import Event, SealClass, Sealed
from domain.ids import CommandId, CorrelationId, EventId, StreamName
from domain.user_events import PasswordReason, PasswordSet, ProfileChanged
from tests.golden.examples import ADA, BY_TAG, IN_CREDENTIALS, NOW

STREAM = StreamName(f"user-{ADA}")
ID = UUID(int=9)


def stored(event: Event, **more: Any) -> StoredEvent:
    given: dict[str, Any] = {
        "position": 7,
        "append_id": 9,
        "stream": STREAM,
        "version": 2,
        "type": tag_of(event),
        "event_id": EventId(ID),
        "recorded_at": NOW,
        "actor": "system:cli",
        "session_id": None,
        "command_id": CommandId(ID),
        "correlation_id": CorrelationId(ID),
        "causation_id": None,
        "key_id": key_of(event),
        "payload": encode_event(event),
    }
    return StoredEvent(**given | more)


def line(lines: bytes) -> dict[str, Any]:
    [read] = map(msgspec.json.decode, lines.splitlines())
    return dict(read)


async def revealed(event: Event, vault: MemoryVault) -> dict[str, Any]:
    return dict(line(await revealed_lines([stored(event)], vault, epoch=1))["payload"])


async def name_sealed(vault: MemoryVault, seal_class: SealClass, field: str = "name", text: str = "Ada") -> Sealed:
    return (await vault.seal(subject=STREAM, seal_class=seal_class, stream=STREAM, fields={field: text}))[field]


def profile(name: Sealed | None) -> ProfileChanged:
    return ProfileChanged(user_id=ADA, name=name, at=NOW)


@pytest.mark.parametrize("tag", sorted(BY_TAG))
def test_of_no_event_is_a_sealed_field_shown(tag: str) -> None:
    event = BY_TAG[tag]
    read = line(sealed_lines([stored(event)], epoch=3))
    for name, value in msgspec.json.decode(encode_event(event)).items():
        is_sealed = name in SEALED_FIELDS[tag] and value is not None
        assert read["payload"][name] == ({"sealed": True, "key_id": str(key_of(event))} if is_sealed else value)
    assert (read["position"], read["epoch"], read["type"], read["recorded_at"]) == (7, 3, tag, "2026-11-22T09:30:00.123456Z")


async def test_a_field_is_opened_and_what_is_gone_is_said_to_be() -> None:
    vault = MemoryVault()
    name = await name_sealed(vault, SealClass.PROFILE)
    assert (await revealed(profile(name), vault))["name"] == "Ada"
    assert (await revealed(profile(None), vault))["name"] is None
    vault.destroy([name.key_id])
    assert (await revealed(profile(name), vault))["name"] == {"erased": True, "key_id": str(name.key_id)}


async def test_a_field_that_was_altered_or_carried_elsewhere_is_said_to_be_broken() -> None:
    vault = MemoryVault()
    elsewhere = await name_sealed(vault, SealClass.PROFILE, field="email")
    altered = Sealed(elsewhere.key_id, elsewhere.box[:-1] + b"?")
    for sealed in (elsewhere, altered):
        assert (await revealed(profile(sealed), vault))["name"] == {"broken": True, "key_id": str(sealed.key_id)}


async def test_attack_credential_carried_into_a_field_that_is_opened() -> None:
    """Whoever writes the database moves a password's ciphertext to where names are, under its own key."""
    vault = MemoryVault()
    sealed = await name_sealed(vault, SealClass.CREDENTIAL)
    assert (await revealed(profile(sealed), vault))["name"] == {"sealed": True, "key_id": str(sealed.key_id)}


async def test_attack_credentials_key_said_to_be_of_another_class() -> None:
    """Whoever writes the database gives a password's key the class of names: the field is a credential all the same."""
    vault = MemoryVault()
    sealed = await name_sealed(vault, SealClass.PROFILE, field="password", text="$argon2id$")
    event = PasswordSet(user_id=ADA, password=sealed, password_version=1, token_epoch=1, reason=PasswordReason.CHOSEN, at=NOW)
    assert (await revealed(event, vault))["password"] == {"sealed": True, "key_id": str(sealed.key_id)}


async def test_attack_line_smuggled_into_a_replay_by_ones_own_name() -> None:
    vault = MemoryVault()
    name = await name_sealed(vault, SealClass.PROFILE, text='Ada\n{"position":8}\u2028\r\n')
    lines = await revealed_lines([stored(profile(name))], vault, epoch=1)
    assert lines.count(b"\n") == 1
    assert line(lines)["payload"]["name"].startswith("Ada\n{")


def test_every_field_of_credentials_is_known_as_one() -> None:
    in_credentials = {(tag, name) for tag, event in BY_TAG.items() for name in SEALED_FIELDS[tag] if getattr(event, name) == IN_CREDENTIALS}
    assert in_credentials == CREDENTIALS


def test_what_retention_has_taken_is_said_to_be_gone() -> None:
    read = line(sealed_lines([stored(profile(None), payload=b"")], epoch=1))
    assert (read["pruned"], "payload" in read) == (True, False)


def test_an_event_of_newer_code_is_not_shown_by_guessing_what_is_sealed() -> None:
    with pytest.raises(UnknownEventTag):
        sealed_lines([stored(profile(None), type="user.cloned.v1", key_id=IN_CREDENTIALS.key_id)], epoch=1)
