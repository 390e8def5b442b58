"""The master key: made once, readable by nobody else, never shown."""

import base64
from pathlib import Path

import msgspec
import pytest

from adapters import master_key
from adapters.settings import Settings
from adapters.settings_source import load

KEY = bytes(range(32))


def settings(folder: Path, key: str = "") -> Settings:
    return load({"MINOS_DATA_DIR": str(folder), "MINOS_MASTER_KEY": key}, folder).settings


def test_a_made_key_is_found_again(tmp_path: Path) -> None:
    made = master_key.load_or_make(settings(tmp_path / "new"))
    assert master_key.load(settings(tmp_path / "new")) == made
    assert master_key.load_or_make(settings(tmp_path / "new")) == made
    assert master_key.load_or_make(settings(tmp_path / "other")) != made


def test_only_its_owner_may_read_the_kept_key(tmp_path: Path) -> None:
    master_key.load_or_make(settings(tmp_path))
    path = tmp_path / master_key.FILE_NAME
    assert path.stat().st_mode & 0o777 == 0o600
    path.chmod(0o640)
    with pytest.raises(master_key.NoMasterKey, match="chmod 600"):
        master_key.load(settings(tmp_path))


def test_a_given_key_wins_and_nothing_is_kept(tmp_path: Path) -> None:
    given = master_key.load_or_make(settings(tmp_path, base64.b64encode(KEY).decode()))
    assert given.key == KEY
    assert not (tmp_path / master_key.FILE_NAME).exists()


def test_the_id_names_the_key_and_the_repr_hides_it() -> None:
    one, again, other = master_key.of_bytes(KEY), master_key.of_bytes(KEY), master_key.of_bytes(bytes(32))
    assert one.kek_id == again.kek_id != other.kek_id
    assert KEY.hex() not in repr(one)
    assert repr(KEY) not in repr(one)


def test_without_a_key_the_message_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(master_key.NoMasterKey, match="MINOS_MASTER_KEY"):
        master_key.load(settings(tmp_path))


@pytest.mark.parametrize("content", ["", "AAAA", "not base64!"])
def test_a_damaged_file_is_refused_and_never_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / master_key.FILE_NAME
    path.write_text(content)
    path.chmod(0o600)
    with pytest.raises(master_key.NoMasterKey, match="must be 32 bytes") as refused:
        master_key.load_or_make(settings(tmp_path))
    assert str(path) in str(refused.value)
    assert path.read_text() == content


def test_it_is_known_where_a_key_was_found(tmp_path: Path) -> None:
    assert master_key.load_or_make(settings(tmp_path)).origin == str(tmp_path / master_key.FILE_NAME)
    assert master_key.load(settings(tmp_path, base64.b64encode(KEY).decode())).origin == "MINOS_MASTER_KEY"


def test_production_never_makes_a_key(tmp_path: Path) -> None:
    live = msgspec.structs.replace(settings(tmp_path), environment="production")
    with pytest.raises(master_key.NoMasterKey):
        master_key.load_or_make(live)
    assert not (tmp_path / master_key.FILE_NAME).exists()


def test_keys_that_open_what_they_wrapped_are_found_in_the_settings_and_in_the_folder(tmp_path: Path) -> None:
    first, second, third = (base64.b64encode(bytes([n]) * 32).decode() for n in (1, 2, 3))
    path = tmp_path / master_key.PREVIOUS_NAME
    path.write_text(f"{second}\n{third}\n")
    path.chmod(0o600)
    chosen = load({"MINOS_DATA_DIR": str(tmp_path), "MINOS_MASTER_KEY_PREVIOUS": first}, tmp_path).settings
    found = master_key.previous(chosen)
    assert [key.key[0] for key in found] == [1, 2, 3]
    assert [key.origin for key in found] == ["MINOS_MASTER_KEY_PREVIOUS", str(path), str(path)]
    path.chmod(0o644)
    with pytest.raises(master_key.NoMasterKey, match="chmod 600"):
        master_key.previous(chosen)
