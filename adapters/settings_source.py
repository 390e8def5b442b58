"""Where settings come from: `MINOS_*` in the environment, files named by `MINOS_*_FILE`, and `.env` in development.

Everything that is wrong is found in one go: an operator corrects it in one go.
"""

import difflib
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import get_type_hints

import msgspec
from msgspec import Struct

from adapters import plain_file, server_urls
from adapters.secret import Secret
from adapters.settings import Settings
from adapters.settings_checks import contradictions, split_url
from adapters.settings_table import PREFIX, SETTINGS, Setting

_LARGEST_FILE = 64 * 1024
_ENVIRONMENT = f"{PREFIX}ENVIRONMENT"
"""Decides what else is read, and what is refused."""
_HERE = frozenset({"127.0.0.1", "::1", "0.0.0.0"})  # noqa: S104 - compared with, not listened on
_UNITS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}
_REPLICAS = 3
_HINTS = get_type_hints(Settings, include_extras=True)


class BadSettings(Exception):
    """Start-up is refused. `problems`: every one found, in words for the operator; never the value of a secret."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Loaded(Struct, frozen=True, kw_only=True):
    """`origins`: by setting name, the variable or file each value was taken from; absent where it is the default."""

    settings: Settings
    origins: Mapping[str, str]


class _Raw(Struct, frozen=True):
    text: str
    origin: str


def load(environ: Mapping[str, str] | None = None, folder: Path | None = None) -> Loaded:
    """Read the settings of this start. `folder` is where `.env` and relative paths are looked for. Raises BadSettings."""
    folder = Path.cwd() if folder is None else folder
    environ = os.environ if environ is None else environ
    problems: list[str] = []
    given = dict(_from_dotenv(environ, folder, problems)) | {
        name: _Raw(text, name) for name, text in environ.items() if name.startswith(PREFIX) and text
    }
    raw = _resolve_files(given, folder, problems)
    values: dict[str, object] = {}
    for setting in SETTINGS:
        if setting.name in raw:
            _take(setting, raw[setting.name], values, problems)
    settings = _completed(msgspec.convert(values, Settings, dec_hook=_decode), folder)
    problems += contradictions(settings, _unread(given, values))
    if problems:
        raise BadSettings(tuple(problems))
    return Loaded(settings=settings, origins={name: found.origin for name, found in raw.items()})


def _from_dotenv(environ: Mapping[str, str], folder: Path, problems: list[str]) -> Iterator[tuple[str, _Raw]]:
    path = folder / ".env"
    if f"{_ENVIRONMENT}_FILE" in environ:
        problems.append(f"{_ENVIRONMENT} must come from the environment itself: {_ENVIRONMENT}_FILE may change under a program that runs")
    if environ.get(_ENVIRONMENT, "").strip() == "production" or not path.is_file():
        return
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), start=1):
        found = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*", line)
        if found is None:
            if line.strip() and not line.lstrip().startswith("#"):
                problems.append(f".env line {number} is not NAME=value")
            continue
        name, text = found.group(1), _unquoted(found.group(2))
        if name == _ENVIRONMENT and text == "production":
            problems.append(f"{_ENVIRONMENT}=production must come from the environment itself: .env is read in development only")
        elif name.startswith(PREFIX) and text:
            yield name, _Raw(text, f".env line {number}")


def _unquoted(text: str) -> str:
    quoted = re.fullmatch(r"""(["'])(.*)\1(?:\s+#.*)?""", text)
    return quoted.group(2) if quoted else re.split(r"\s+#", text, maxsplit=1)[0]


def _resolve_files(given: Mapping[str, _Raw], folder: Path, problems: list[str]) -> dict[str, _Raw]:
    known = {setting.name for setting in SETTINGS}
    resolved: dict[str, _Raw] = {}
    for name, raw in given.items():
        plain = name.removesuffix("_FILE")
        if name in known:
            resolved[name] = raw
        elif plain in known and plain in given:
            problems.append(f"{plain} and {name} are both set: keep one")
        elif plain in known:
            _read_file(plain, name, folder / raw.text, resolved, problems)
        else:
            close = difflib.get_close_matches(name, [*known, *(f"{each}_FILE" for each in known)], n=1)
            problems.append(f"{name} is not a setting" + (f"; did you mean {close[0]}?" if close else ""))
    return resolved


def _read_file(name: str, variable: str, path: Path, resolved: dict[str, _Raw], problems: list[str]) -> None:
    try:
        text = plain_file.small(path, most=_LARGEST_FILE).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{variable}: {path} cannot be read ({type(error).__name__})")
        return
    if text:
        resolved[name] = _Raw(text, f"{variable} ({path})")
    else:
        problems.append(f"{variable}: {path} is empty")


def _take(setting: Setting, raw: _Raw, values: dict[str, object], problems: list[str]) -> None:
    try:
        value = _parts(setting, raw.text)
        values[setting.field] = msgspec.convert(value, _HINTS[setting.field], strict=False, dec_hook=_decode)
    except ValueError as error:  # msgspec.ValidationError is one
        wanted = str(error).partition(" - at ")[0]
        given = "" if setting.secret else f", not {raw.text[:80]!r}"
        origin = "" if raw.origin == setting.name else f" (from {raw.origin})"
        problems.append(f"{setting.name}: {_in_words(wanted, setting)}{given}{origin}")


def _unread(given: Mapping[str, _Raw], values: Mapping[str, object]) -> set[str]:
    """Give the fields somebody chose a value for that is not known: what stands in for it is no choice of theirs."""
    chosen = {name.removesuffix("_FILE") for name in given}
    return {setting.field for setting in SETTINGS if setting.name in chosen and setting.field not in values}


def _parts(setting: Setting, text: str) -> object:
    if setting.listed:
        return [part for part in re.split(r"[,\s]+", text) if part]
    if setting.unit == "seconds":
        found = re.fullmatch(r"(\d{1,12})([smhd]?)", text.strip())
        if found is None:
            raise ValueError("expected a duration such as 300, 5m, 12h or 30d")
        return int(found.group(1)) * _UNITS[found.group(2)]
    return text.strip()


def _in_words(wanted: str, setting: Setting) -> str:
    if setting.choices:
        return "expected one of " + ", ".join(setting.choices)
    if setting.bounds is not None and wanted.startswith("Expected"):
        return f"expected a number from {setting.bounds[0]} to {setting.bounds[1]}" + (f" {setting.unit}" if setting.unit else "")
    return wanted[:1].lower() + wanted[1:]


def _decode(kind: type, value: object) -> object:
    if kind is Secret:
        return value if isinstance(value, Secret) else Secret(str(value))
    if kind is Path:
        return Path(str(value))
    raise NotImplementedError(kind)


def _completed(settings: Settings, folder: Path) -> Settings:
    """Fill in what follows from the rest, so that nobody else has to."""
    address = settings.host or ("0.0.0.0" if settings.in_production else "127.0.0.1")  # noqa: S104 - in production a proxy is in front
    host = f"[{address}]" if ":" in address else address
    issuer = settings.issuer or f"http://{host}:{settings.port}"
    hosts = settings.allowed_hosts
    if not hosts:
        url = split_url(issuer)
        name = url.hostname if url else None
        local = () if settings.in_production else ("127.0.0.1", "localhost", "[::1]", host)
        hosts = tuple(dict.fromkeys((*((name,) if name else ()), *local)))
    data_dir = (folder / settings.data_dir.expanduser()).resolve()
    return msgspec.structs.replace(
        settings,
        host=address,
        issuer=issuer,
        allowed_hosts=hosts,
        data_dir=data_dir,
        nats_replicas=settings.nats_replicas or _replicas(settings.nats_url),
        second_place=_place(settings.second_place or data_dir / "second-place", folder),
        keys_dir=_place(settings.keys_dir or data_dir / "keys", folder),
        mail_from=settings.mail_from or _own_address(issuer),
        link_url=settings.link_url or f"{issuer}/account",
        passkey_rp_id=settings.passkey_rp_id or _own_domain(issuer),
        passkey_origins=settings.passkey_origins or _own_origins(issuer),
    )


def _place(given: str | Path, folder: Path) -> str:
    return given if isinstance(given, str) and "://" in given else str((folder / Path(given).expanduser()).resolve())


def _replicas(nats: Secret | None) -> int:
    return 1 if nats is None or len(server_urls.each(nats.reveal())) < _REPLICAS else _REPLICAS


def _own_domain(issuer: str) -> str:
    """Give the domain that passkeys are made for. No browser makes one for an address of this machine, but for its name."""
    url = split_url(issuer)
    host = (url.hostname if url else None) or ""
    return "localhost" if host in _HERE else host


def _own_origins(issuer: str) -> tuple[str, ...]:
    url = split_url(issuer)
    if url is None or not url.hostname:
        return ()
    port = "" if url.port is None else f":{url.port}"
    return (f"{url.scheme}://{_own_domain(issuer)}{port}",)


def _own_address(issuer: str) -> str:
    """Give an address to write from while nobody has chosen one. An IP is no domain of mail."""
    url = split_url(issuer)
    name = (url.hostname if url else None) or ""
    return f"minos@{name}" if re.search(r"\.[a-z]", name) else "minos@localhost.localdomain"
