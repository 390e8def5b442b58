"""`minos bench peers`: what it makes of its rounds, what it installs, and what it refuses. That it measures is asked in tests/e2e."""

import argparse
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from adapters.embedded_postgres import PostgresServer
from bench.arguments import arguments
from bench.peers import page, run
from bench.peers.cores import Cores
from bench.peers.figures import comparison, comparisons, figures
from bench.peers.installing import SERVERS, CannotInstall, install
from bench.peers.kinds import KINDS, STORE, TARGETS, UnknownName, chosen
from bench.peers.measuring import FULL, QUICK
from bench.peers.minos import Minos
from bench.peers.results import Checked, Measured, Results, Served, Stored
from bench.peers.target import OPERATIONS, Hashed, Place
from bench.peers.versions import pinned
from bench.report import circumstances

NODE = sorted(folder.parent.name for folder in SERVERS.glob("*/package.json"))
Refused = Callable[..., str]
PYTHON = sorted(folder.parent.name for folder in SERVERS.glob("*/requirements.in"))


def measured(target: str, operation: str, number: int, per_second: float, *, pace: float = 50.0, **failed: int) -> Measured:
    return Measured(
        target=target, operation=operation, round=number, per_second=per_second, p50_ms=1.0, p99_ms=2.0, answers=100, failed=failed,
        cpu_ms={"server": 0.5, "postgres": 0.25}, other_core=0.4, pace=pace,
    )  # fmt: skip


def of_sessions(**rates: tuple[float, ...]) -> Results:
    """Rates of reading a session, round by round."""
    return Results(
        measured=[
            measured(target.replace("_", "-"), "session", number, rate)
            for target, each in rates.items()
            for number, rate in enumerate(each, start=1)
        ]
    )


class TestRatios:
    def test_are_of_the_same_round_and_to_the_peer_whose_median_is_best(self) -> None:
        results = of_sessions(minos=(900.0, 800.0, 1000.0), better_auth=(90.0, 80.0, 100.0), fastapi_users_jwt=(60.0, 70.0, 500.0))
        found = comparison(results, "session", ["better-auth", "fastapi-users-jwt"])
        assert found is not None
        assert (found.against, found.ratios, found.ratio) == ("better-auth", [10.0, 10.0, 10.0], 10.0)

    def test_leave_out_a_round_that_one_of_the_two_did_not_have(self) -> None:
        results = of_sessions(minos=(900.0, 800.0), better_auth=(90.0,))
        found = comparison(results, "session", ["better-auth"])
        assert found is not None
        assert found.ratios == [10.0]

    def test_are_none_where_nobody_is_to_be_compared_with(self) -> None:
        assert comparison(of_sessions(minos=(900.0,)), "session", ["better-auth"]) is None
        assert comparison(of_sessions(better_auth=(90.0,)), "session", ["better-auth"]) is None

    def test_never_hold_sign_ins_against_each_other(self) -> None:
        results = Results(measured=[measured(target, "sign_in", 1, 10.0) for target in ("minos", "better-auth")])
        assert comparisons(results) == []

    def test_have_the_goals_of_what_they_are_divided_by(self) -> None:
        results = of_sessions(minos=(900.0,), better_auth=(250.0,), oidc_provider=(1000.0,))
        results.stored += [
            Stored(target=target, operation="append", round=1, per_second=rate, pace=50.0)
            for target, rate in (("minos", 1600), (STORE, 100))
        ]
        assert {figure.key: (figure.value, figure.verdict) for figure in figures(results)} == {
            "session_persisting": (3.6, "MISS"),
            "session_memory": (0.9, "must"),
            "append_store": (16.0, "aim"),
        }


class TestPage:
    @pytest.fixture
    def written(self, tmp_path: Path) -> Path:
        results = of_sessions(minos=(1200.0, 800.0, 1000.0), better_auth=(100.0, 100.0, 100.0))
        results.measured += [measured("better-auth", "sign_in", 1, 9.0, wrong=3), measured("better-auth", "jwks", 1, 70.0, pace=20.0)]
        results.checked.append(Checked(target="better-auth", round=1, hashed=Hashed(kind="scrypt", verify_ms=100.0)))
        results.served.append(Served(target="minos", round=1, start_s=2.5, idle_mb=300.0, loaded_mb=320.0))
        results.failures.append("round 2, oidc-provider: it did not start\nand said so at length")
        where = circumstances(quick=True)
        page.write(tmp_path, page.Written(results=results, where=where, versions={"Python": "3"}, amount=QUICK, left_out={STORE: "snake"}))
        return tmp_path

    def test_has_medians_and_spreads_and_counts_errors(self, written: Path) -> None:
        text = (written / "peers.md").read_text()
        assert "| authenticated read | Minos | 1,000 | 800 to 1,200 | 1 | 2 | 0.500 | 0.250 | 40% | 0 |" in text
        assert "| sign-in with a password | better-auth | 9 | 9 to 9 | 1 | 2 | 0.500 | 0.250 | 40% | 3 |" in text
        assert "| better-auth | scrypt | 100 | 9 | 0.90 |" in text
        assert "| Minos | 2.5 | 2.5 to 2.5 | 300 | 320 |" in text

    def test_says_what_is_not_in_it(self, written: Path) -> None:
        text = (written / "peers.md").read_text()
        assert "- **Left out:** pyeventsourcing: snake is not installed" in text
        assert "- **Failed:** round 2, oidc-provider: it did not start\n" in text
        assert "- better-auth, public keys, round 1: 40%" in text
        assert "a quick run" in text

    def test_has_its_figures_and_its_chart_beside_it(self, written: Path) -> None:
        document = json.loads((written / "peers.json").read_text())
        assert [(one["operation"], one["against"], one["ratios"]) for one in document["comparisons"]] == [
            ("session", "better-auth", [12.0, 8.0, 10.0])
        ]
        assert document["versions"]["better-auth"] == pinned("better-auth")
        assert "authenticated read / better-auth" in (written / "peers.svg").read_text()


def test_passwords_come_to_us_from_as_many_networks_as_connections(tmp_path: Path) -> None:
    """Of one network few may wait for a hash, and on one core fewer than connect: the rest was refused."""
    place = Place(
        folder=tmp_path, installed=tmp_path, cores=Cores(0, 1), postgres=PostgresServer(tmp_path / "postgres"), database_password="none"
    )
    requests = Minos(place).work("register", FULL.few).requests
    assert len({re.findall(r"X-Forwarded-For: (\S+)", text)[0] for text in requests}) == FULL.few


class TestNames:
    def test_of_servers_and_operations_are_told_apart(self) -> None:
        wanted = chosen("refresh, minos")
        assert (list(wanted.targets), list(wanted.operations), wanted.is_all) == (["minos"], ["refresh"], False)
        assert list(chosen("oidc-provider").operations) == list(OPERATIONS)
        assert list(chosen("jwks").targets) == list(TARGETS)
        assert chosen(None).is_all

    def test_that_there_are_not_are_refused(self) -> None:
        with pytest.raises(UnknownName, match=r"^there is no keycloak; there are minos, .*register$"):
            chosen("minos,keycloak")

    def test_of_operations_are_those_that_are_measured(self) -> None:
        assert {operation for kind in KINDS for operation in kind.operations} == set(OPERATIONS)


class TestLocks:
    @pytest.mark.parametrize("name", NODE)
    def test_pin_every_package_of_node_by_its_digest(self, name: str) -> None:
        wanted = json.loads((SERVERS / name / "package.json").read_text())["dependencies"]
        locked: Mapping[str, Mapping[str, str]] = json.loads((SERVERS / name / "package-lock.json").read_text())["packages"]
        assert {package: locked[f"node_modules/{package}"]["version"] for package in wanted} == wanted
        assert all(entry["integrity"].startswith("sha512-") for path, entry in locked.items() if path)
        assert not any("resolved" in entry for entry in locked.values()), "a lock names no host: it is taken from where one gets packages"

    @pytest.mark.parametrize("name", PYTHON)
    def test_pin_every_package_of_python_by_its_digests(self, name: str) -> None:
        locked = (SERVERS / name / "requirements.txt").read_text()
        requirements = [entry for entry in re.split(r"^(?=\S)", locked, flags=re.MULTILINE) if entry and not entry.startswith("#")]
        assert all("--hash=sha256:" in entry for entry in requirements)
        versions = dict(entry.split(" ", 1)[0].split("==") for entry in requirements)
        assert {package.partition("[")[0]: versions[package.partition("[")[0]] for package in pinned(name)} == {
            package.partition("[")[0]: number for package, number in pinned(name).items()
        }

    def test_are_of_every_server_that_is_compared(self) -> None:
        assert sorted((*NODE, *PYTHON)) == sorted({kind.installed_as for kind in KINDS if kind.installed_as} | {STORE})

    async def test_are_installed_once(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        programs = tmp_path / "programs"
        programs.mkdir()
        npm = programs / "npm"
        npm.write_text(f'#!/bin/sh\necho "$1" >> {tmp_path}/calls\n')
        npm.chmod(0o755)
        monkeypatch.setenv("PATH", str(programs))
        told: list[str] = []
        for _ in range(2):
            await install("oidc-provider", tmp_path / "installed", told.append)
        assert told == ["installing oidc-provider"]
        assert (tmp_path / "calls").read_text() == "ci\n"
        assert (tmp_path / "installed" / "oidc-provider" / "server.mjs").exists()


class TestRefusals:
    @pytest.fixture
    def refused(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Refused:
        def ask(*given: str) -> str:
            args = arguments(argparse.ArgumentParser()).parse_args(["peers", "--out", str(tmp_path), *given])
            assert run.run(args) == 2
            assert list(tmp_path.iterdir()) == []
            return capsys.readouterr().err

        return ask

    def test_unknown_name(self, refused: Refused) -> None:
        assert refused("--only", "keycloak").startswith("minos: there is no keycloak; there are minos, ")

    def test_publishing_a_part(self, refused: Refused) -> None:
        assert refused("--only", "minos", "--publish") == "minos: only a whole run is published: leave --only out\n"

    def test_publishing_without_what_installs_a_peer(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("PATH", "/nowhere")
        assert "better-auth needs npm, which is not installed" in refused("--publish")

    def test_one_core(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("os.sched_getaffinity", lambda _: {0})
        assert refused() == "minos: this needs two cores: one for the server that is measured, one for PostgreSQL and the load\n"

    def test_peer_that_cannot_be_installed(self, refused: Refused, monkeypatch: pytest.MonkeyPatch) -> None:
        async def failing(*_: object) -> None:
            raise CannotInstall("npm ci failed for better-auth:\nno network")

        monkeypatch.setattr("bench.peers.rounds.install", failing)
        assert refused("--only", "fastapi-users-jwt") == "minos: npm ci failed for better-auth:\nno network\n"
