"""No key and no secret shows in a repr, and so in no log and no traceback (style.md 20)."""

from datetime import date
from pathlib import Path
from uuid import UUID

import pytest

from adapters.jwk import Signer, generate, to_der
from adapters.keyring import Keyring
from adapters.memory_store import MemoryEventStore
from adapters.memory_vault import MemoryVault
from adapters.months import Kept, Month
from adapters.postgres_links import Links
from adapters.refresh_tokens import DerivedTokens
from adapters.root_keys import LocalRoot
from adapters.second_place import FolderPlace
from adapters.secret import Secret
from adapters.secrets_store import KeyVersions, Purpose, random_secrets
from adapters.settings import Settings
from adapters.signing_secrets import MemorySigningSecrets
from adapters.subject_keks import SubjectKeks
from adapters.transit import Transit
from adapters.wrapping import Wrapped, Wrapping
from domain.event import SealClass
from domain.ids import Kid, SessionId, StreamName
from domain.signing_key import Algorithm
from tests.keys.conftest import MASTER

KEY = b"\xaa\xbb\xcc\xdd" * 16


def shown(thing: object) -> str:
    return f"{thing!r} {thing}"


@pytest.mark.parametrize(
    "thing",
    [
        KeyVersions(1, {1: KEY}),
        Wrapped(KEY, "mk-1"),
        Wrapping([MASTER]),
        MASTER,
        Links("postgresql://u:p4ss@/d"),
        Month(date(2026, 11, 1), MASTER, "mk-1", "1"),
        Kept(kek_id="mo-2026-11-1", root="mk-1", box=KEY),
        Transit("https://kms/v1/transit/keys/minos", lambda: Secret("p4ss")),
        SubjectKeks(Links(""), FolderPlace(Path("keys")), Wrapping([MASTER])),
        LocalRoot(Settings(master_key=Secret("p4ss"))),
    ],
    ids=lambda thing: type(thing).__name__,
)
def test_keys_do_not_show(thing: object) -> None:
    assert not any(secret in shown(thing) for secret in (repr(KEY)[2:-1], KEY.hex(), repr(MASTER.key)[2:-1], "p4ss"))


def test_the_keys_of_all_purposes_do_not_show() -> None:
    secrets = random_secrets()
    secrets.replace({Purpose.REFRESH: KeyVersions(1, {1: KEY})})
    assert repr(KEY)[2:-1] not in shown(secrets)


def test_a_private_key_does_not_show() -> None:
    signer = Signer(Kid("k" * 43), Algorithm.ES256, generate(Algorithm.ES256))
    assert "PrivateKey" not in shown(signer)


def test_a_presented_refresh_token_does_not_show_its_secret() -> None:
    tokens = DerivedTokens(random_secrets())
    presented = tokens.read_refresh_token(tokens.refresh_token(session_id=SessionId(UUID(int=1)), generation=1, key_version=1, seed=b"s"))
    assert presented is not None
    assert repr(presented.secret)[2:-1] not in shown(presented)


async def test_what_holds_keys_in_memory_does_not_show_them() -> None:
    vault, secrets = MemoryVault(), MemorySigningSecrets()
    await vault.seal(
        subject=StreamName("user-1"), seal_class=SealClass.PROFILE, stream=StreamName("user-1"), fields={"email": "ada@example.org"}
    )
    key = generate(Algorithm.ES256)
    await secrets.keep(Kid("k" * 43), to_der(key))
    for thing in (vault, secrets, Keyring(secrets, MemoryEventStore()), DerivedTokens(random_secrets())):
        assert "ada@example.org" not in shown(thing)
        assert "\\x" not in shown(thing)
