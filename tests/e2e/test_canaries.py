"""Secrets that were planted everywhere and in every way come out nowhere: not in lines, traces, metrics, answers, arguments, files."""

import asyncio
import base64
import os
import re
import secrets
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import httpx
import psutil

from adapters.postgres_roles import kept_passwords
from bench.running import Running
from tests.api.test_access import ALL, Route
from tests.e2e.collector import Collector, seen
from tests.e2e.people import PASSWORD, Person, address, bootstrap, register
from tests.e2e.stored import sequenced
from tests.e2e.test_secrets_kept_in_clear import mailed, shown_once
from tests.e2e.test_traces import live_a_life

ENDS_A_SESSION = {"logout", "logoutEverywhere", "deleteMe", "endMySession"}
ENDLESS = {"followSignals", "replayEvents"}
FIELDS = (
    "email", "password", "new_password", "current_password", "name", "username", "code", "token", "refresh_token", "note", "challenge",
)  # fmt: skip
BY_DESIGN = ("mail", "master.key", "passwords.json", "seed", "nats.conf", "callout-issuer", "callout-xkey", "months")
"""Where letters lie when no server takes them, and what keeps the secrets of this machine."""


class Canaries:
    """Words that stand for secrets, each with the place that it was planted at. Those made here begin alike: one look finds all."""

    def __init__(self) -> None:
        self._mark = f"canary{secrets.token_hex(6)}"
        self._places = list[str]()
        self._given: dict[str, str] = {}

    def word(self, place: str) -> str:
        self._places.append(place)
        return f"{self._mark}{len(self._places) - 1:04x}"

    def add(self, place: str, *given: str) -> None:
        for each in given:
            assert len(each) > 5, place
            self._given[each] = place

    @property
    def looked_for(self) -> list[str]:
        return [self._mark, *self._given]

    def found(self, text: str | bytes) -> set[str]:
        """Name the places whose secrets are in a text, as they are or in hexadecimal, or at the beginning of what is in base64."""
        held = text.encode() if isinstance(text, str) else text
        lowered = held.lower()
        named = {self._places[int(number, 16)] for number in re.findall(self._mark.encode() + rb"([0-9a-f]{4})", lowered)}
        hidden = {"encoded" for word in self.looked_for if word.encode().hex().encode() in lowered or _in_base64(word) in held}
        return named | hidden | {place for word, place in self._given.items() if word.encode().lower() in lowered}


def _in_base64(word: str) -> bytes:
    """The last letters depend on what follows."""
    return base64.b64encode(word.encode()).rstrip(b"=")[:-1]


def fields(canaries: Canaries, where: str) -> dict[str, str]:
    return {name: canaries.word(f"{name} in {where}") for name in FIELDS}


async def plant(http: httpx.AsyncClient, canaries: Canaries, route: Route, *, query: bool = False, **headers: str) -> httpx.Response:
    """Ask one operation with a canary in each place of a request; one in the query is refused before the rest is looked at."""
    where, body = route.operation, fields(canaries, route.operation)
    path = route.at(user_id=canaries.word(f"path of {where}")) if query else route.at()
    form, written = (body, None) if path.startswith("/oauth2") else (None, body if route.method in {"POST", "PUT", "PATCH"} else None)
    planted = {
        "User-Agent": canaries.word(f"user agent of {where}"),
        "Cookie": f"session={canaries.word(f'cookie of {where}')}",
        "Referer": f"https://example.org/{canaries.word(f'referer of {where}')}",
    }
    asked = {"token": canaries.word(f"query of {where}")} if query else None
    return await http.request(route.method, path, headers=planted | headers, data=form, json=written, params=asked)


async def plant_everywhere(http: httpx.AsyncClient, canaries: Canaries, person: Person) -> list[httpx.Response]:
    """Ask each operation as nobody, with credentials that are none, and as a person who may do little."""
    answers = list[httpx.Response]()
    for route in ALL:
        if route.operation in ENDLESS:
            continue
        credentials = f"Bearer {canaries.word(f'bearer token of {route.operation}')}"
        answers.append(await plant(http, canaries, route, Authorization=credentials))
        answers.append(await plant(http, canaries, route, query=True, **{"X-API-Key": canaries.word(f"API key of {route.operation}")}))
        if route.operation not in ENDS_A_SESSION and route.method != "DELETE":
            answers.append(await plant(http, canaries, route, **person.bearer))
    garbled = f'{{"password": "{canaries.word("JSON that is none")}'
    answers.append(await http.post("/api/v1/auth/login", content=garbled, headers={"Content-Type": "application/json"}))
    answers.append(await http.get(f"/{canaries.word('a path that is none')}"))
    basic = (canaries.word("client id"), canaries.word("client secret"))
    answers.append(await http.post("/oauth2/token", data={"grant_type": "client_credentials"}, auth=basic))
    return answers


def of_this_machine(running: Running, canaries: Canaries) -> None:
    """What the authority itself has to keep: passwords of the database, the master key, what NATS knows it by."""
    passwords = kept_passwords(running.data / "postgres" / "passwords.json")
    canaries.add("database password", passwords.app, passwords.owner, passwords.superuser)
    canaries.add("master key", (running.data / "master.key").read_text().split()[-1])
    for name in ("seed", "callout-issuer", "callout-xkey"):
        words = (running.data / "nats" / name).read_text().split()
        canaries.add(f"NATS {name}", *(word for word in words if word.startswith("S") and len(word) > 50))


def processes(running: Running) -> Iterator[psutil.Process]:
    whole = psutil.Process(running.pid("up"))
    yield whole
    yield from whole.children(recursive=True)


def visible(running: Running) -> bytes:
    """What others of this machine's users can see of our processes, or those who run as the same one."""
    shown = b""
    for process in processes(running):
        for name in ("cmdline", "environ"):
            with open(f"/proc/{process.pid}/{name}", "rb") as file:  # noqa: PTH123 - a file without a length
                shown += file.read()
    return shown


def files_with(folder: Path, words: Iterable[str]) -> list[str]:
    """Name the files below a folder that hold one of the words, but for those that are to."""
    with tempfile.NamedTemporaryFile("w", suffix=".words") as patterns:
        patterns.write("\n".join(words))
        patterns.flush()
        left_out = [option for name in BY_DESIGN for option in (f"--exclude={name}", f"--exclude-dir={name}")]
        how = ["--recursive", "--text", "--files-with-matches", "--fixed-strings", "--devices=skip"]
        command = ["grep", *how, *left_out, f"--file={patterns.name}", str(folder)]
        ran = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, "LC_ALL": "C"})
    assert ran.returncode in {0, 1}, ran.stderr
    return ran.stdout.splitlines()


def test_a_canary_is_seen_in_each_shape_and_named(tmp_path: Path) -> None:
    canaries = Canaries()
    word, _ = canaries.word("cookie"), canaries.word("path")
    canaries.add("password", "correct horse")
    assert canaries.found(f"x{word.upper()}x") == {"cookie"}
    assert canaries.found("the Correct Horse") == {"password"}
    assert canaries.found(base64.b64encode(f"{word}:secret".encode())) == {"encoded"}
    assert canaries.found(word.encode().hex()) == {"encoded"}
    assert canaries.found("canary") == set()
    (tmp_path / "seed").write_text(word)
    (tmp_path / "file").write_bytes(b"\0\1" + word.encode())
    assert files_with(tmp_path, canaries.looked_for) == [str(tmp_path / "file")]


async def test_what_was_planted_comes_out_nowhere(traced: tuple[Running, Collector], traced_http: httpx.AsyncClient) -> None:
    (running, collector), http, canaries = traced, traced_http, Canaries()
    admin = await bootstrap(http, running.bootstrap_code)
    ada = await live_a_life(http, admin)
    bea = await register(http, name=(name := canaries.word("name")), username=canaries.word("username")[:30])
    bea = await bea.sign_in(device_name=canaries.word("device name"))
    canaries.add("secret shown once", *await shown_once(http, admin, bea), await mailed(running, http, bea))
    canaries.add("name of a life", "Augusta Ada Byron", "Wrote to Babbage")
    for person in (admin, ada, bea):
        canaries.add("address", person.email)
        canaries.add("token", person.tokens["access_token"], person.tokens["refresh_token"])
    canaries.add("password", PASSWORD, "quite another phrase now")
    of_this_machine(running, canaries)
    answers = await plant_everywhere(http, canaries, await register(http, email=address()))
    assert len(answers) > 250
    assert {answer.status_code for answer in answers} >= {200, 400, 401, 403, 404, 422}
    await sequenced(running)

    problems = [answer for answer in answers if answer.status_code >= 400]
    assert {place for answer in problems for place in canaries.found(answer.content)} == set()
    await seen(lambda: True if any(line.attributes.get("route") == "/oauth2/token" for line in collector.lines) else None)
    await asyncio.sleep(0.3)  # what is gathered leaves by then
    assert canaries.found(running.printed) == set()
    assert canaries.found(collector.received) == set()
    assert canaries.found((await http.get(running.metrics_url)).content) == set()
    assert canaries.found(visible(running)) == set()
    assert name in (await bea.get("/me")).text, "it is there for whom it is for"
    assert files_with(running.folder, [bea.user_id]), "what is stored is looked at"
    assert files_with(running.folder, canaries.looked_for) == []
