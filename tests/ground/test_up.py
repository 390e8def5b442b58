"""`minos up` from outside: it starts, serves, recovers from kills, says no to a second one, and leaves nothing behind."""

import os
import re
import shutil
import signal
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.children import processes_working_in
from adapters.hashing.hasher import cores
from tests.ground.authority import DEADLINE_S, MINOS, Authority, environment

EMAIL, PASSWORD = "first@example.org", "correct horse battery staple"
FIRST_KILLED_S = 5.0
"""The shortest time that a part is given to end by itself: one that takes as long was killed."""


@pytest.fixture
def authority(tmp_path: Path) -> Iterator[Authority]:
    running = Authority(tmp_path / "data")
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="module")
def ended(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that was there already, and is not running. To start again takes half of what a first start takes."""
    before = Authority(tmp_path_factory.mktemp("ended") / "data")
    before.start()
    assert before.stop()[0] == 0
    return before


@pytest.fixture
def again(ended: Authority) -> Iterator[Authority]:
    """For who only cares how it ends."""
    ended.start()
    yield ended
    ended.end()


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """For who only looks at it."""
    running = Authority(tmp_path_factory.mktemp("standing") / "data")
    running.start()
    yield running
    running.end()


@pytest.fixture(scope="module")
def mended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    """For who kills a part of it, which comes back. It has an administrator."""
    running = Authority(tmp_path_factory.mktemp("mended") / "data")
    running.start()
    assert bootstrap(running) == 201
    yield running
    running.end()


def eventually(condition: str, check: object) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not check():  # type: ignore[operator]
        assert time.monotonic() < deadline, condition
        time.sleep(0.05)


def ready(authority: Authority) -> bool:
    try:
        return authority.call("GET", "/health/ready")[0] == 200
    except OSError:
        return False


def api_processes(authority: Authority) -> set[int]:
    pid = authority.pid_of("api")
    return {int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()}


def bootstrap(authority: Authority) -> int:
    return authority.call("POST", "/api/v1/bootstrap", {"code": authority.code(), "email": EMAIL, "password": PASSWORD})[0]


def login(authority: Authority) -> tuple[int, object]:
    return authority.call("POST", "/api/v1/auth/login", {"email": EMAIL, "password": PASSWORD})


def test_the_printed_code_makes_the_first_administrator_once(authority: Authority) -> None:
    assert bootstrap(authority) == 201
    assert bootstrap(authority) == 410
    assert login(authority)[0] == 200
    assert authority.stop()[0] == 0
    authority.start()
    assert "bootstrap code" not in authority.output
    assert login(authority)[0] == 200


@pytest.mark.parametrize("sig", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything_cleanly(again: Authority, sig: signal.Signals) -> None:
    assert again.stop(sig)[0] == 0
    took = [float(seconds) for seconds in re.findall(r"^\w+: stopped \(([\d.]+) s\)$", again.output, re.MULTILINE)]
    assert len(took) == 4
    assert max(took) < FIRST_KILLED_S
    assert re.findall(r"^(\w+): stopped", again.output, re.MULTILINE)[-1] in {"nats", "postgres"}
    assert processes_working_in(again.data / "postgres" / "pgdata") == []
    assert processes_working_in(again.data / "nats") == []


def test_a_second_interrupt_ends_it_at_once_and_leaves_nothing(again: Authority) -> None:
    assert again.program is not None
    again.program.send_signal(signal.SIGINT)
    again.program.send_signal(signal.SIGTERM)
    again.program.wait(DEADLINE_S)
    folders = [again.data / "postgres" / "pgdata", again.data / "nats"]
    eventually("nothing is left", lambda: not any(processes_working_in(folder) for folder in folders))


def test_a_second_up_in_the_same_folder_says_so(standing: Authority) -> None:
    second = subprocess.run([MINOS, "up"], env=environment(standing.data), capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert second.returncode == 2
    assert "is in use by the running program" in second.stderr
    assert ready(standing)


def test_a_taken_port_is_said_before_anything_starts(standing: Authority, tmp_path: Path) -> None:
    other = environment(tmp_path / "other") | {"MINOS_PORT": standing.environment["MINOS_PORT"]}
    second = subprocess.run([MINOS, "up"], env=other, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert second.returncode == 2
    assert "MINOS_PORT" in second.stderr
    assert not (tmp_path / "other").exists()


def test_a_lost_key_is_not_replaced(ended: Authority) -> None:
    for lost in ("master.key", "keys"):
        key = ended.data / lost
        kept = key.rename(ended.data.parent / lost)
        ended.launch()
        assert ended.program is not None
        assert ended.program.wait(DEADLINE_S) == 2
        assert f"{key} is gone" in ended.output or f"not in {key}" in ended.output
        assert "put it back from" in ended.output
        assert not key.exists() or not list((key / "months").iterdir())
        shutil.rmtree(key, ignore_errors=True)
        kept.rename(key)
    ended.start()
    ended.end()


@pytest.mark.parametrize("part", ["api", "workers", "nats", "postgres"])
def test_a_killed_part_comes_back_and_what_was_told_is_kept(mended: Authority, part: str) -> None:
    ended, started = (mended.output.count(f"{part}: {what}") for what in ("ended", "running"))
    os.kill(mended.pid_of(part), signal.SIGKILL)
    mended.wait_for(rf"{part}: ended", times=ended + 1)
    mended.wait_for(rf"{part}: running", times=started + 1)
    eventually("ready again", lambda: ready(mended))
    eventually("signing in works again", lambda: login(mended)[0] == 200)


def test_a_killed_api_process_is_replaced(mended: Authority) -> None:
    before = api_processes(mended)
    os.kill(killed := min(before), signal.SIGKILL)
    eventually("another in its place", lambda: len(api_processes(mended) - {killed}) == len(before))
    eventually("ready again", lambda: ready(mended))


def test_after_a_kill_of_the_whole_the_next_start_finds_everything(authority: Authority, tmp_path: Path) -> None:
    assert bootstrap(authority) == 201
    assert authority.program is not None
    authority.program.kill()
    authority.program.wait()
    authority.start()
    assert login(authority)[0] == 200


def test_requests_in_flight_are_answered_before_the_end(tmp_path: Path) -> None:
    running = Authority(tmp_path / "data", MINOS_WORKERS="1", MINOS_ARGON2_PASSES="4")
    running.start()
    answers: list[int] = []

    def register(number: int) -> None:
        account = {"email": f"user{number}@example.org", "password": PASSWORD}
        answers.append(running.call("POST", "/api/v1/auth/register", account)[0])

    asking = [threading.Thread(target=register, args=[number]) for number in range(cores() + 1)]
    for each in asking:
        each.start()
    eventually("one more than are hashed at a time is in", lambda: "\nminos_password_hash_queue 1.0\n" in metrics(running))
    code, _ = running.stop(signal.SIGTERM)
    for each in asking:
        each.join()
    assert code == 0
    assert len(answers) == len(asking)
    assert 201 in answers
    assert set(answers) <= {201, 503}, "503 is for who waits for a hash for three seconds"


def metrics(authority: Authority) -> str:
    with urllib.request.urlopen(authority.metrics_url, timeout=10) as answer:
        return str(answer.read().decode())


def test_metrics_of_all_processes_are_at_one_address(standing: Authority) -> None:
    assert "minos_http_requests_total" in metrics(standing)


def test_no_secret_is_in_the_environment_of_a_child_or_in_the_output(standing: Authority) -> None:
    secrets = [(standing.data / "nats" / "seed").read_text(), (standing.data / "master.key").read_text().strip()]
    secrets += re.findall(r"[0-9a-f]{64}", (standing.data / "postgres" / "passwords.json").read_text())
    assert len(secrets) == 5
    for part in ("api", "workers", "nats", "postgres"):
        pid = standing.pid_of(part)
        seen = Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes()
        assert not [secret for secret in secrets if secret.encode() in seen]
    assert not [secret for secret in secrets if secret in standing.output]


def test_doctor_finds_nothing_in_a_running_authority(standing: Authority) -> None:
    done = subprocess.run([MINOS, "doctor"], env=standing.environment, capture_output=True, text=True, timeout=DEADLINE_S, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("sig", "after_s"), [(signal.SIGINT, 0.0), (signal.SIGTERM, 0.3), (signal.SIGINT, 0.6), (signal.SIGTERM, 0.9)])
def test_stopping_while_it_starts_leaves_nothing(tmp_path: Path, sig: signal.Signals, after_s: float) -> None:
    running = Authority(tmp_path / "data", MINOS_WORKERS="1")
    running.launch()
    running.wait_for("data in")
    time.sleep(after_s)
    assert running.stop(sig)[0] == 0, running.output
    assert "Traceback" not in running.output
    folders = [tmp_path / "data" / "postgres" / "pgdata", tmp_path / "data" / "nats"]
    eventually("nothing is left", lambda: not any(processes_working_in(folder) for folder in folders))
    running.start()
    running.end()
