"""What `minos doctor` looks at of addresses: who is believed about where a request comes from, and that the issuer is us."""

import ipaddress
from collections.abc import Iterator

import msgspec
from msgspec import Struct

from adapters.http_question import HttpServer, NoAnswer
from adapters.postgres_links import Links
from adapters.settings import Settings
from adapters.settings_checks import split_url
from cli.finding import Finding, found, warned
from domain.errors import StoreUnavailable
from domain.tree.checkpoint import log_origin

WIDEST_PROXIES = {4: 8, 6: 32}
"""Prefix lengths, by version of IP: a network that is larger has strangers in it."""
METADATA, KEYS = "/.well-known/oauth-authorization-server", "/.well-known/jwks.json"
_ANSWER_S = 5.0
_LONGEST = 1 << 20


class _Metadata(Struct, frozen=True):
    issuer: str


class _Key(Struct, frozen=True):
    kid: str


class _KeySet(Struct, frozen=True):
    keys: tuple[_Key, ...]


def addresses(settings: Settings) -> Iterator[Finding]:
    """By the settings alone."""
    yield proxies(settings)
    yield hosts(settings)


def proxies(settings: Settings) -> Finding:
    networks = [ipaddress.ip_network(each, strict=False) for each in settings.trusted_proxies]
    wide = [str(each) for each in networks if each.prefixlen < WIDEST_PROXIES[each.version]]
    if wide:
        advice = "anybody there may say where a request comes from; set MINOS_TRUSTED_PROXIES to the proxies' own network"
        return found("proxies", f"{', '.join(wide)} believed", advice, ok=False)
    behind = settings.issuer.startswith("https:")
    advice = "https ends at somebody in front, and every request seems to come from there; set MINOS_TRUSTED_PROXIES to its network"
    return warned("proxies", f"{', '.join(map(str, networks)) or 'none'} believed", advice, ok=bool(networks) or not behind)


def hosts(settings: Settings) -> Finding:
    url = split_url(settings.issuer)
    name = (url.hostname if url else None) or ""
    served = any(host in {"*", name, f"[{name}]"} or (host.startswith("*.") and name.endswith(host[1:])) for host in settings.allowed_hosts)
    return found(
        "hosts", f"{', '.join(settings.allowed_hosts)} answered", f"{name}, the issuer's, is not: add it to MINOS_ALLOWED_HOSTS", ok=served
    )


async def issuer(settings: Settings) -> list[Finding]:
    """Ask at the public address, as who verifies tokens does."""
    try:
        metadata = msgspec.json.decode(await _asked(settings, METADATA), type=_Metadata)
        keys = msgspec.json.decode(await _asked(settings, KEYS), type=_KeySet)
    except (NoAnswer, OSError) as error:
        advice = "services cannot verify tokens without it; is MINOS_ISSUER the public URL, and is it reached from here?"
        return [warned("issuer", f"{settings.issuer} does not answer ({error})", advice, ok=False)]
    except msgspec.MsgspecError:
        return [found("issuer", f"{settings.issuer} is something else", "set MINOS_ISSUER to the public URL of this API", ok=False)]
    advice = f"the API there has another MINOS_ISSUER than {settings.issuer}, and verifiers refuse its tokens"
    answers = found("issuer", f"{settings.issuer} says that it is {metadata.issuer[:200]!r}", advice, ok=metadata.issuer == settings.issuer)
    return [answers, *await _of_this_database(settings, {each.kid for each in keys.keys})]


async def _asked(settings: Settings, path: str) -> bytes:
    """Raises NoAnswer, and OSError."""
    url = split_url(settings.issuer)
    if url is None:
        raise NoAnswer("no URL")
    answer = await HttpServer(url, piece_s=_ANSWER_S, whole_s=_ANSWER_S, longest=_LONGEST).ask("GET", url.path + path)
    if answer.status != 200:
        raise NoAnswer(f"status {answer.status}")
    return answer.body


async def _of_this_database(settings: Settings, kids: set[str]) -> list[Finding]:
    if settings.database_url is None:
        return []
    links = Links(settings.database_url.reveal(), size=1)
    try:
        known = {row[0] for row in await links.read("SELECT kid FROM vault.signing_secrets")}
        name = [row[0] for row in await links.read("SELECT name FROM vault.log_keys")]
    except StoreUnavailable:
        return []  # the other checks tell of it
    finally:
        await links.close()
    strange = kids - known
    advice = "the API there serves another database: look at its MINOS_DATABASE_URL"
    return [
        found("key set", f"{len(kids)} keys at the issuer, {len(strange)} not of this database", advice, ok=not strange),
        *(log_name(each, settings.issuer) for each in name),
    ]


def log_name(name: str, issuer: str) -> Finding:
    """It stays what it was at the first start: verifiers go by it."""
    advice = f"it stays, whatever MINOS_ISSUER ({issuer}) becomes; is this its database?"
    return warned("log", f"the log is called {name}", advice, ok=name == log_origin(issuer, 1))
