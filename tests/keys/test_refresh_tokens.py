"""Refresh and device tokens: derived from keys that are not in the log (threats.md 1 and 16)."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.refresh_tokens import DerivedTokens
from adapters.secrets_store import KeyVersions, Purpose, random_secrets
from domain.ids import SessionId

SECRETS = random_secrets()
TOKENS = DerivedTokens(SECRETS)
SEED = b"s" * 32
SESSION = SessionId(UUID("01a200ae-627c-7f12-b519-6ad15a5dd23f"))
USER, DEVICE = UUID(int=7), UUID(int=8)

uuids = st.uuids(allow_nil=True)


def token(generation: int = 3) -> str:
    return TOKENS.refresh_token(session_id=SESSION, generation=generation, key_version=1, seed=SEED)


def genuine(text: str, seed: bytes = SEED, tokens: DerivedTokens = TOKENS) -> bool:
    presented = tokens.read_refresh_token(text)
    return presented is not None and tokens.refresh_token_is_genuine(presented, seed=seed)


@given(uuids, st.integers(0, 999_999_999), st.binary(min_size=32, max_size=32))
def test_a_refresh_token_reads_back_as_it_was_made(session: UUID, generation: int, seed: bytes) -> None:
    made = TOKENS.refresh_token(session_id=SessionId(session), generation=generation, key_version=1, seed=seed)
    presented = TOKENS.read_refresh_token(made)
    assert presented is not None
    assert (presented.session_id, presented.generation, presented.key_version) == (session, generation, 1)
    assert TOKENS.refresh_token_is_genuine(presented, seed=seed)


def test_the_same_generation_gives_the_same_token_again() -> None:
    assert token() == token()


def test_threat_1_no_byte_of_a_refresh_token_can_be_changed() -> None:
    made = token()
    for place, letter in enumerate(made):
        for other in set("0Aa1.-_ \n٣") - {letter}:
            assert not genuine(made[:place] + other + made[place + 1 :]), (place, other)


@pytest.mark.parametrize("change", ["{} ", " {}", "{}\n", "{}A", "{}=", "{}.1", "MRT{}"])
def test_threat_1_a_refresh_token_has_one_spelling(change: str) -> None:
    assert not genuine(change.format(token()))


def test_threat_1_who_knows_a_session_id_cannot_make_its_token() -> None:
    strangers = DerivedTokens(random_secrets())
    assert not genuine(strangers.refresh_token(session_id=SESSION, generation=3, key_version=1, seed=SEED))


def test_threat_1_a_copy_of_the_database_without_the_key_gives_no_token() -> None:
    presented = TOKENS.read_refresh_token(token())
    assert presented is not None
    assert presented.secret != SEED
    assert not genuine(token(), seed=b"t" * 32)


def test_threat_1_a_token_says_nothing_for_another_generation_or_session() -> None:
    presented = TOKENS.read_refresh_token(token(3))
    assert presented is not None
    assert not genuine(token(3).replace(".3.", ".4."))
    assert not genuine(token(3).replace("dd23f", "dd23e"))


def test_threat_1_a_made_up_key_version_is_not_genuine_and_no_error() -> None:
    assert not genuine(token().replace(".3.1.", ".3.2."))
    assert not genuine(token().replace(".3.1.", ".3.999999999."))


@pytest.mark.parametrize("number", ["01", "+3", "-1", "", "3.0", "1e1", "1000000000", "٣"])
def test_numbers_in_a_token_have_one_spelling(number: str) -> None:
    assert TOKENS.read_refresh_token(token().replace(".3.", f".{number}.")) is None


@given(st.text(max_size=120))
def test_no_text_at_all_is_a_token(text: str) -> None:
    assert TOKENS.read_refresh_token(text) is None
    assert TOKENS.read_refresh_token(f"mrt_{text}") is None
    assert TOKENS.read_device_token(text) is None
    assert TOKENS.read_device_token(f"mdv_{text}") is None


def test_tokens_of_an_old_key_version_stay_good_and_new_ones_use_the_new() -> None:
    keys = {1: b"1" * 64, 2: b"2" * 64}
    secrets = random_secrets()
    secrets.replace({Purpose.REFRESH: KeyVersions(2, keys)})
    rotated = DerivedTokens(secrets)
    assert rotated.refresh_key_version == 2
    for version in keys:
        made = rotated.refresh_token(session_id=SESSION, generation=1, key_version=version, seed=SEED)
        assert genuine(made, tokens=rotated)


@given(uuids, st.integers(0, 2**63), uuids)
def test_a_device_token_reads_back_as_it_was_made(user: UUID, epoch: int, device: UUID) -> None:
    presented = TOKENS.read_device_token(TOKENS.device_token(user_id=user, epoch=epoch, device_id=device))
    assert presented is not None
    assert (presented.user_id, presented.epoch, presented.device_id) == (user, epoch, device)


def test_threat_16_no_byte_of_a_device_token_can_be_changed() -> None:
    made = TOKENS.device_token(user_id=USER, epoch=1, device_id=DEVICE)
    for place, letter in enumerate(made):
        for other in set("0Aa_-. ") - {letter}:
            assert TOKENS.read_device_token(made[:place] + other + made[place + 1 :]) is None


def test_threat_16_a_device_token_of_another_authority_is_none() -> None:
    assert TOKENS.read_device_token(DerivedTokens(random_secrets()).device_token(user_id=USER, epoch=1, device_id=DEVICE)) is None
