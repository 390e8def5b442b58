"""The command line as a program: help, exit codes, JSON, and that it starts fast."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from cli.main import COMMANDS, main
from tests.ground.authority import MINOS

ROOT = Path(__file__).parents[2]
SESSION = "0199aaaa-0000-7000-8000-000000000001"


def minos(folder: Path, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MINOS_")}
    argv = [MINOS, *arguments]
    return subprocess.run(argv, cwd=folder, env=kept | settings, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(
    tmp_path: Path, command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([command, "--help"]) == 0
    assert f"minos {command}" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


def test_help_lists_every_command(tmp_path: Path) -> None:
    listed = minos(tmp_path, "--help").stdout
    assert all(re.search(rf"^    {command}\s", listed, re.MULTILINE) for command in COMMANDS)


def shell(folder: Path, line: str) -> subprocess.CompletedProcess[str]:
    """Run a line of bash in which $minos is the command, which buffers its output as it does for a user."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith("MINOS_") and name != "PYTHONUNBUFFERED"}
    argv = ["bash", "-c", line]
    return subprocess.run(argv, cwd=folder, env=kept | {"minos": str(MINOS)}, capture_output=True, text=True, timeout=60, check=False)


def test_what_doctor_found_stays_true_where_nobody_reads_it(tmp_path: Path) -> None:
    done = shell(tmp_path, "{ $minos doctor; echo $? >&2; } | true")
    assert done.stderr.strip().endswith("1"), done.stderr


@pytest.mark.parametrize("command", ["--help", "settings", "settings --json"])
def test_a_reader_that_goes_away_is_no_fault(tmp_path: Path, command: str) -> None:
    done = shell(tmp_path, f'$minos {command} | true; echo "${{PIPESTATUS[0]}}"')
    assert done.stdout.strip() == "0"
    assert done.stderr == ""


@pytest.mark.parametrize("command", ["--help", "settings", "settings --json"])
def test_output_that_cannot_be_written_is_a_fault_and_said(tmp_path: Path, command: str) -> None:
    done = shell(tmp_path, f"$minos {command} > /dev/full")
    assert done.returncode == 2
    assert done.stderr == "minos: No space left on device\n"


def test_output_that_is_closed_is_none(tmp_path: Path) -> None:
    assert shell(tmp_path, "$minos settings >&-").returncode == 0
    assert shell(tmp_path, "$minos log status >&-").returncode == 2


@pytest.mark.parametrize("arguments", [[], ["nonsense"], ["settings", "--nonsense"]])
def test_what_it_does_not_understand_exits_2(tmp_path: Path, arguments: list[str]) -> None:
    assert minos(tmp_path, *arguments).returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ["users", "list", "--limit", "-3"],
        ["users", "list", "--limit", "0"],
        ["events", "--last", "-1"],
        ["events", "--after", "-1"],
        ["projections", "switch", "users", "0"],
    ],
    ids=" ".join,
)
def test_a_number_below_what_it_may_be_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    done = minos(tmp_path, *arguments)
    assert done.returncode == 2
    assert re.search(r"^minos \w+( \w+)?: error: argument .*: must be at least [01], not -?\d$", done.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        (["users", "list", "--limit", "9" * 21], 10**15),
        (["events", "--after", "9" * 21], 10**15),
        (["projections", "switch", "users", "2147483648"], 2**31 - 1),
        (["api-keys", "list", "--soon", "9999999"], 36_500),
    ],
    ids=str,
)
def test_a_number_beyond_what_it_may_be_is_refused(tmp_path: Path, arguments: list[str], most: int) -> None:
    done = minos(tmp_path, *arguments)
    assert done.returncode == 2
    assert f"must be at most {most}, not {arguments[-1]}\n" in done.stderr


def test_a_duration_that_is_none_is_told_what_one_is(tmp_path: Path) -> None:
    done = minos(tmp_path, "service-token", "issue", "reporter", "--ttl", "30x")
    assert done.returncode == 2
    assert "argument --ttl: must be a whole number and s, m, h or d, as 90d or 12h, not '30x'\n" in done.stderr


@pytest.mark.parametrize("arguments", [["--all", SESSION], [SESSION, "--all"], []], ids=str)
def test_one_session_or_all_is_asked_for_in_any_order(tmp_path: Path, arguments: list[str]) -> None:
    done = minos(tmp_path, "sessions", "revoke", "ada@example.org", *arguments)
    assert (done.returncode, done.stderr) == (2, "minos: name one session, or --all\n")


def test_an_option_that_there_is_not_is_called_one(tmp_path: Path) -> None:
    done = minos(tmp_path, "sessions", "revoke", "ada@example.org", "--every")
    assert done.returncode == 2
    assert "unrecognized arguments: --every" in done.stderr


def test_without_a_command_it_shows_them(tmp_path: Path) -> None:
    assert "run everything" in minos(tmp_path).stderr


def test_it_says_which_version_it_is(tmp_path: Path) -> None:
    assert re.fullmatch(r"minos \d+\.\d+\.\d+\n", minos(tmp_path, "--version").stdout)


def test_without_a_terminal_nobody_is_asked_for_a_password(tmp_path: Path) -> None:
    done = minos(tmp_path, "admin", "create", "--email", "ada@example.org")
    assert done.returncode == 2
    assert "--password-stdin" in done.stderr
    assert "Traceback" not in done.stderr


def test_on_a_terminal_the_code_is_asked_for_and_then_the_password(tmp_path: Path) -> None:
    typed = {b"code: ": b"AAAA-BBBB-CCCC", b"password: ": b"correct horse battery", b"again: ": b"correct horse butter"}
    ours, theirs = pty.openpty()
    argv = [MINOS, "admin", "create", "--email", "ada@example.org", "--code"]
    # In a session of its own: it must not find the terminal that the tests were started from.
    with subprocess.Popen(argv, cwd=tmp_path, stdin=theirs, stderr=subprocess.PIPE, start_new_session=True) as asking:
        assert asking.stderr is not None
        for prompt, answer in typed.items():
            assert asking.stderr.read(len(prompt)) == prompt
            os.write(ours, answer + b"\n")
            assert asking.stderr.read(1) == b"\n"
        assert asking.stderr.read() == b"minos: the two passwords differ\n"
    os.close(ours)
    os.close(theirs)


def test_a_code_is_no_argument(tmp_path: Path) -> None:
    done = minos(tmp_path, "admin", "create", "--email", "ada@example.org", "--code", "AAAA-BBBB-CCCC")
    assert done.returncode == 2
    assert "unrecognized arguments" in done.stderr


@pytest.mark.parametrize("name", ["MINOS_PORT", "MINOS_METRICS_PORT"])
def test_serving_at_a_taken_port_says_which_setting(tmp_path: Path, name: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        ports = {"MINOS_PORT": "1", "MINOS_METRICS_PORT": "0", name: port}
        done = minos(tmp_path, "serve", MINOS_DATABASE_URL="postgresql://minos_app:x@127.0.0.1:1/minos", **ports)
    assert done.returncode == 2
    assert f"127.0.0.1:{port} cannot be used (Address already in use): another program is there; choose another {name}" in done.stderr
    assert "Traceback" not in done.stderr


def test_where_no_database_runs_it_says_how_to_name_another_folder(tmp_path: Path) -> None:
    done = minos(tmp_path, "users", "list")
    assert done.returncode == 2
    assert f"no database runs in {tmp_path}/.minos/postgres" in done.stderr
    assert "MINOS_DATA_DIR" in done.stderr
    assert not (tmp_path / ".minos").exists()


@pytest.mark.parametrize("data", ["file", "file/below"])
def test_a_file_where_the_data_are_to_be_is_said_to_be_one(tmp_path: Path, data: str) -> None:
    (tmp_path / "file").touch()
    done = minos(tmp_path, "up", MINOS_DATA_DIR=data, MINOS_PORT="1", MINOS_METRICS_PORT="0")
    assert done.returncode == 2
    assert done.stderr.startswith(f"minos: {tmp_path / 'file'} is a file")
    assert "MINOS_DATA_DIR" in done.stderr


def test_a_database_that_is_away_is_called_by_its_name(tmp_path: Path) -> None:
    url = "postgresql://minos:hunter2@127.0.0.1:1/minos"
    done = minos(tmp_path, "migrate", MINOS_DATABASE_URL=url, MINOS_MIGRATION_DATABASE_URL=url)
    assert done.returncode == 2
    assert "PostgreSQL cannot be used" in done.stderr
    assert "MINOS_MIGRATION_DATABASE_URL" in done.stderr
    assert "hunter2" not in done.stderr


def test_bad_settings_exit_2_and_are_all_named(tmp_path: Path) -> None:
    done = minos(tmp_path, "settings", MINOS_PORT="x", MINOS_NOPE="1")
    assert done.returncode == 2
    assert "MINOS_PORT" in done.stderr
    assert "MINOS_NOPE" in done.stderr
    assert "Traceback" not in done.stderr


def test_settings_hide_secrets_unless_revealed_in_development(tmp_path: Path) -> None:
    url = "postgresql://minos_app:hunter2@db/minos"
    hidden = minos(tmp_path, "settings", "--json", MINOS_DATABASE_URL=url)
    assert "hunter2" not in hidden.stdout
    shown = {row["name"]: row for row in json.loads(minos(tmp_path, "settings", "--json", "--reveal", MINOS_DATABASE_URL=url).stdout)}
    assert shown["MINOS_DATABASE_URL"]["value"] == url
    assert shown["MINOS_DATABASE_URL"]["origin"] == "MINOS_DATABASE_URL"
    assert shown["MINOS_PORT"]["value"] == 8000


def test_doctor_says_no_where_nothing_runs(tmp_path: Path) -> None:
    done = minos(tmp_path, "doctor", "--json", MINOS_PORT="9")
    assert done.returncode == 1
    findings = {finding["check"]: finding["ok"] for finding in json.loads(done.stdout)}
    assert findings["settings"] is True
    assert findings["database"] is False


def test_migrate_without_a_database_could_not_do_it(tmp_path: Path) -> None:
    assert minos(tmp_path, "migrate").returncode == 2


def test_serving_without_a_database_is_refused(tmp_path: Path) -> None:
    done = minos(tmp_path, "serve", MINOS_METRICS_PORT="0")
    assert done.returncode == 2
    assert "MINOS_DATABASE_URL" in done.stderr


def test_showing_the_help_imports_nothing_heavy() -> None:
    heavy = "('asyncpg', 'nats', 'litestar', 'granian', 'rich', 'structlog', 'cryptography')"
    loaded = f"[name for name in {heavy} if sys.modules.get(name)]"
    program = f"import sys; from cli.main import main; main(['--help']); print({loaded}, file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "[]"


def test_no_command_loads_what_draws_tracebacks_in_colour() -> None:
    loaded = "[name for name in ('structlog', 'rich', 'rich.console') if name in sys.modules]"
    program = f"import sys; from cli.main import main; main(['settings']); print({loaded}, file=sys.stderr); import rich.console"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert done.stderr.strip() == "['structlog']"


def test_the_limits_in_force_are_shown_with_ones_own_over_those_that_ship(tmp_path: Path) -> None:
    (tmp_path / "limits.toml").write_text('[sign_in]\naddress = ["7/1m"]\n')
    done = minos(tmp_path, "limits", "--json", MINOS_LIMITS_FILE="limits.toml")
    rows = {(row["group"], row["counts"]): row["rates"] for row in json.loads(done.stdout)}
    assert (rows["sign_in", "address"], rows["sign_in", "name"]) == (["7/1m"], ["20/1m", "100/1h"])


@pytest.mark.parametrize(
    ("text", "code", "told"),
    [
        ('[sign_in]\naddress = ["7/1m"]\n', 0, "limits.toml can be used\n"),
        ('[sign_in]\naddress = ["seven"]\n', 1, "[sign_in] address: 'seven' is no rate such as 120/1m: a number, and s, m, h or d\n"),
        ('[mine]\noperations = ["logn"]\n', 1, "[mine]: there is no operation logn\n"),
        (None, 2, "limits.toml cannot be read (FileNotFoundError)\n"),
    ],
)
def test_a_file_of_limits_is_tried_before_it_is_used(tmp_path: Path, text: str | None, code: int, told: str) -> None:
    if text is not None:
        (tmp_path / "limits.toml").write_text(text)
    done = minos(tmp_path, "limits", "check", "limits.toml")
    assert (done.returncode, done.stdout) == (code, told)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--actor", "user:ada@example.org"), "expected user:<id>"),
        (("--actor", "somebody"), "expected user:<id>"),
        (("--type", "User Registered"), "expected a type"),
        (("--type", ""), "expected a type"),
        (("--stream", "no stream"), "expected <category>-<id>"),
        (("--since", "2026-11-26T13:00:00Z", "--until", "2026-11-26T12:00:00Z"), "nothing lies between"),
        (("--after", "5", "--through", "3"), "nothing between"),
        (("--since", "yesterday"), "RFC 3339"),
    ],
)
def test_a_replay_of_what_no_event_can_be_like_is_refused_and_not_empty(
    asked: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "replay", *asked]) == 2
    assert said in capsys.readouterr().err
