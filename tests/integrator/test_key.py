"""The key of the log: made once, kept wrapped, for checkpoints only."""

import asyncio

import pytest

from adapters import master_key
from adapters.checkpoint_key import LogName, open_signer, read_log_name, verified
from adapters.wrapping import CannotUnwrap, Wrapping
from domain.tree.checkpoint import BadCheckpoint, Checkpoint
from tests.integrator.conftest import ISSUER, MASTER, Ground

CHECKPOINT = Checkpoint(origin="id.example.org/log", size=7, root=bytes(32))


async def test_there_is_one_key_whoever_makes_it(ground: Ground) -> None:
    await ground.as_owner("DELETE FROM vault.log_keys")
    opened = await asyncio.gather(*(open_signer(ground.links, Wrapping([MASTER]), ISSUER) for _ in range(4)))
    assert len({each.name.public for each in opened}) == 1


async def test_the_log_keeps_its_name_when_the_issuer_gets_another(ground: Ground) -> None:
    again = await open_signer(ground.links, Wrapping([MASTER]), "https://login.example.com")
    assert again.name == ground.signer.name == await read_log_name(ground.links)
    assert again.name.origin(1) == "id.example.org/log"
    assert again.name.origin(3) == "id.example.org/log/3"


async def test_another_master_key_opens_nothing(ground: Ground) -> None:
    with pytest.raises(CannotUnwrap):
        await open_signer(ground.links, Wrapping([master_key.of_bytes(b"\x02" * 32)]), ISSUER)


async def test_the_private_half_is_nowhere_in_clear(ground: Ground) -> None:
    ((wrapped,),) = await ground.links.read("SELECT wrapped FROM vault.log_keys")
    assert ground.signer._key.private_bytes_raw() not in wrapped
    assert "Ed25519" not in repr(ground.signer)


async def test_a_note_is_verified_by_the_key_of_its_epoch_only(ground: Ground) -> None:
    note = ground.signer.sign(CHECKPOINT, 1)
    name = ground.signer.name
    assert verified(note, name.verifier(1)) == CHECKPOINT
    with pytest.raises(BadCheckpoint, match="not signed by"):
        verified(note, name.verifier(2))
    with pytest.raises(BadCheckpoint):
        verified(note, LogName(name=name.name, public=bytes(32)).verifier(1))
    with pytest.raises(BadCheckpoint, match="signature"):
        verified(note.replace("\n7\n", "\n8\n"), name.verifier(1))
    with pytest.raises(BadCheckpoint, match="is of"):
        verified(ground.signer.sign(CHECKPOINT, 2), name.verifier(2))
