"""What an operator may give as MINOS_NATS_CREDENTIALS, shown on real servers: an nkey's seed, or credentials of an operator's account."""

import asyncio
import base64
import json
import sysconfig
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import nats.errors
import nkeys
import pytest
from nats.aio.client import Client

from adapters.children import spawn, stop
from adapters.nats_client import NatsConnection
from adapters.nats_credentials import BadCredentials, proof
from adapters.nats_keys import new_seed, public_key, signature
from adapters.settings import Settings
from adapters.settings_source import BadSettings, load
from bench.running import free_ports
from cli.broker_checks import broker
from cli.finding import Finding

OPERATOR, ACCOUNT, USER = nkeys.PREFIX_BYTE_OPERATOR, nkeys.PREFIX_BYTE_ACCOUNT, nkeys.PREFIX_BYTE_USER
ALL = -1


async def found(settings: Settings) -> Finding:
    """What doctor says of the broker."""
    (only,) = [finding async for finding in broker(settings)]
    return only


class Key:
    """A key of any kind, by the package that nats-py uses."""

    def __init__(self, kind: int, number: int) -> None:
        self.seed = nkeys.encode_seed(bytes([number]) * 32, kind).decode()
        self._pair = nkeys.from_seed(bytearray(self.seed.encode()))
        self.public = bytes(self._pair.public_key).decode()

    def vouch(self, other: "Key", kind: str, **claims: Any) -> str:
        """Give a JWT about another key, as `nsc` makes them."""
        about = {"iss": self.public, "sub": other.public, "iat": 1, "jti": other.public, "nats": {"type": kind, "version": 2, **claims}}
        signed = ".".join(_part(json.dumps(part).encode()) for part in ({"typ": "JWT", "alg": "ed25519-nkey"}, about))
        return f"{signed}.{_part(self._pair.sign(signed.encode()))}"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def credentials_of(user: Key, jwt: str) -> str:
    return (
        f"-----BEGIN NATS USER JWT-----\n{jwt}\n------END NATS USER JWT------\n\n"
        f"-----BEGIN USER NKEY SEED-----\n{user.seed}\n------END USER NKEY SEED------\n"
    )


async def serve(folder: Path, rules: str) -> AsyncIterator[str]:
    """A nats-server as somebody else has it, with rules for who may enter."""
    (port,) = free_ports(1)
    (folder / "given.conf").write_text(f'listen: "127.0.0.1:{port}"\njetstream {{ store_dir: "given" }}\n{rules}\n')
    with (folder / "given.log").open("ab") as output:
        child = spawn([f"{sysconfig.get_path('scripts')}/nats-server", "-c", "given.conf"], cwd=folder, output=output, env={})
    try:
        yield f"nats://127.0.0.1:{port}"
    finally:
        await stop(child)


@pytest.fixture
async def with_nkeys(tmp_path: Path) -> AsyncIterator[str]:
    async for url in serve(tmp_path, f"authorization {{ users = [ {{ nkey: {Key(USER, 1).public} }} ] }}"):
        yield url


@pytest.fixture
async def with_operator(tmp_path: Path) -> AsyncIterator[str]:
    operator, system, ours = Key(OPERATOR, 1), Key(ACCOUNT, 1), Key(ACCOUNT, 2)
    limits = dict.fromkeys(("subs", "data", "payload", "imports", "exports", "conn"), ALL)
    storage = dict.fromkeys(("mem_storage", "disk_storage", "streams", "consumer"), ALL)
    accounts = {system: limits, ours: limits | storage}
    known = "\n".join(f"{key.public}: {operator.vouch(key, 'account', limits=may)}" for key, may in accounts.items())
    rules = f"operator: {operator.vouch(operator, 'operator')}\nsystem_account: {system.public}\nresolver: MEMORY\n"
    async for url in serve(tmp_path, f"{rules}resolver_preload: {{\n{known}\n}}"):
        yield url


async def enter(url: str, file: Path) -> None:
    """Connect as a process of ours does, and use JetStream."""
    connection = NatsConnection(url, credentials=file)
    async with asyncio.timeout(10):
        await connection.connect()
    await connection.client.jetstream().account_info()
    await connection.close()


async def is_refused(url: str, file: Path) -> bool:
    """Whether the server, which runs, does not let us in."""
    client = Client()
    try:
        await client.connect(url, allow_reconnect=False, **proof(file))
    except nats.errors.Error as error:
        return "authorization violation" in str(error).lower()
    finally:
        await client.close()
    return False


def settings_with(url: str, file: Path) -> Any:
    return load({"MINOS_NATS_URL": url, "MINOS_NATS_CREDENTIALS": str(file)}, file.parent).settings


async def test_the_seed_of_a_user_the_server_knows_gets_in(with_nkeys: str, tmp_path: Path) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text(Key(USER, 1).seed + "\n")
    wrong.write_text(Key(USER, 9).seed + "\n")
    await enter(with_nkeys, right)
    assert (await found(settings_with(with_nkeys, right))).ok
    assert await is_refused(with_nkeys, wrong)
    finding = await found(settings_with(with_nkeys, wrong))
    assert not finding.ok
    assert "Authorization Violation" in finding.detail


async def test_credentials_of_an_account_the_server_knows_get_in(with_operator: str, tmp_path: Path) -> None:
    account, user = Key(ACCOUNT, 2), Key(USER, 3)
    limits = {"subs": ALL, "data": ALL, "payload": ALL}
    right, wrong = tmp_path / "right.creds", tmp_path / "wrong.creds"
    right.write_text(credentials_of(user, account.vouch(user, "user", **limits)))
    wrong.write_text(credentials_of(user, Key(ACCOUNT, 9).vouch(user, "user", **limits)))
    await enter(with_operator, right)
    assert (await found(settings_with(with_operator, right))).ok
    assert await is_refused(with_operator, wrong)


async def test_a_file_that_is_being_replaced_is_waited_for(with_nkeys: str, tmp_path: Path) -> None:
    file = tmp_path / "seed"
    file.touch()
    entering = asyncio.create_task(enter(with_nkeys, file))
    await asyncio.sleep(0.1)
    file.write_text(Key(USER, 1).seed)
    await entering


SEED = Key(USER, 1).seed
WHOLE = credentials_of(Key(USER, 1), "e30.e30.c2ln")
SENSELESS = {
    "nothing": "",
    "a mistyped seed": SEED[:20] + ("A" if SEED[20] != "A" else "B") + SEED[21:],
    "a seed cut short": SEED[:-1],
    "two seeds": f"{SEED}\n{SEED}\n",
    "an account's seed": Key(ACCOUNT, 1).seed,
    "a public key": Key(USER, 1).public,
    "credentials without their JWT": WHOLE.replace("e30.e30.c2ln\n", ""),
    "credentials without their seed": WHOLE.replace(SEED, ""),
    "credentials with an account's seed": WHOLE.replace(SEED, Key(ACCOUNT, 1).seed),
    "credentials with another system's line ends": WHOLE.replace("\n", "\r\n"),
    "no text": "\x00\xff",
}


@pytest.mark.parametrize("content", SENSELESS.values(), ids=SENSELESS.keys())
def test_a_file_that_cannot_be_right_refuses_the_start_and_is_not_shown(tmp_path: Path, content: str) -> None:
    file = tmp_path / "given"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(BadSettings) as caught:
        settings_with("nats://nats.example.org", file)
    (problem,) = caught.value.problems
    assert problem.startswith("MINOS_NATS_CREDENTIALS: ")
    assert not any(line in problem for line in content.splitlines() if line.strip())


def test_a_file_that_is_not_there_refuses_the_start(tmp_path: Path) -> None:
    with pytest.raises(BadSettings) as caught:
        settings_with("nats://nats.example.org", tmp_path / "none")
    assert caught.value.problems == ("MINOS_NATS_CREDENTIALS: the file it names cannot be read (FileNotFoundError)",)


@pytest.mark.parametrize("pasted", [SEED, WHOLE, SEED + "\0"], ids=["seed", "credentials", "zero byte"])
def test_a_seed_given_in_place_of_a_file_is_not_shown(tmp_path: Path, pasted: str) -> None:
    with pytest.raises(BadSettings) as caught:
        load({"MINOS_NATS_URL": "nats://nats.example.org", "MINOS_NATS_CREDENTIALS": pasted}, tmp_path)
    (problem,) = caught.value.problems
    assert problem.startswith("MINOS_NATS_CREDENTIALS: ")
    assert SEED not in problem


def test_credentials_for_no_server_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "seed"
    file.write_text(SEED)
    with pytest.raises(BadSettings, match="MINOS_NATS_CREDENTIALS needs MINOS_NATS_URL"):
        load({"MINOS_NATS_CREDENTIALS": str(file)}, tmp_path)


def test_our_keys_are_those_of_the_package_that_signs() -> None:
    for _ in range(20):
        seed = new_seed()
        theirs = nkeys.from_seed(bytearray(seed.encode()))
        assert public_key(seed) == bytes(theirs.public_key).decode()
        assert signature(seed, "nonce") == base64.b64encode(theirs.sign(b"nonce")).decode()


def test_no_file_proves_nothing_and_is_no_fault() -> None:
    assert proof(None) == {}
    with pytest.raises(BadCredentials):
        proof(Path("/nonexistent-folder"))
