"""What settings must agree on among themselves, and what `production` does not allow."""

import base64
import binascii
import ipaddress
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from adapters.secret import Secret
from adapters.settings import Settings

MASTER_KEY_BYTES = 32
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def inconsistencies(settings: Settings) -> Iterator[str]:
    """Give every contradiction or unusable value, as a line for the operator."""
    yield from _about_issuer(settings.issuer)
    yield from _about_addresses(settings)
    yield from _about_names(settings)
    yield from _about_url("MINOS_DATABASE_URL", settings.database_url, {"postgresql", "postgres"})
    yield from _about_url("MINOS_MIGRATION_DATABASE_URL", settings.migration_database_url, {"postgresql", "postgres"})
    yield from _about_url("MINOS_NATS_URL", settings.nats_url, {"nats", "tls", "ws", "wss"})
    if settings.migration_database_url is not None and settings.database_url is None:
        yield "MINOS_MIGRATION_DATABASE_URL needs MINOS_DATABASE_URL: the owner's role must not serve requests"
    if settings.master_key is not None and not _is_whole(settings.master_key):
        yield f"MINOS_MASTER_KEY: expected {MASTER_KEY_BYTES} bytes in base64 (make one: openssl rand -base64 32)"
    if settings.refresh_idle_ttl > settings.refresh_absolute_ttl:
        yield "MINOS_REFRESH_IDLE_TTL is longer than MINOS_REFRESH_ABSOLUTE_TTL"


def refusals_in_production(settings: Settings) -> Iterator[str]:
    """Give every setting that is only fit for trying out. Nothing outside production."""
    if settings.in_production:
        yield from (f"production: {text}" for refused, text in _trying_out(settings) if refused)


def _trying_out(settings: Settings) -> Iterator[tuple[bool, str]]:
    key = settings.master_key
    issuer = split_url(settings.issuer)
    yield issuer is None or issuer.scheme != "https", "MINOS_ISSUER must be an https URL"
    yield key is None, "MINOS_MASTER_KEY must be given: a key made on the spot is lost with the machine"
    yield key is not None and _is_weak(key), "MINOS_MASTER_KEY is no random key: it repeats itself"
    yield settings.database_url is None, "MINOS_DATABASE_URL must be given: the embedded PostgreSQL is for trying out"
    yield settings.nats_url is None, "MINOS_NATS_URL must be given: the embedded NATS is for trying out"
    yield settings.api_docs == "open", "MINOS_API_DOCS=open shows the documents to anybody"
    yield settings.debug, "MINOS_DEBUG shows inner errors to callers"
    unproved = settings.registration == "open" and settings.email_verification == "optional"
    yield unproved, "MINOS_REGISTRATION=open lets anybody take another's unproved address; set invite or closed"
    yield "*" in settings.allowed_hosts, "MINOS_ALLOWED_HOSTS must name the hosts"


def _about_issuer(issuer: str) -> Iterator[str]:
    url = split_url(issuer)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        yield f"MINOS_ISSUER: expected an http(s) URL, not {issuer[:200]!r}"
    elif url.query or url.fragment or url.username or issuer.endswith("/"):
        yield "MINOS_ISSUER: a URL without query, fragment, user and final slash"


def _about_addresses(settings: Settings) -> Iterator[str]:
    for network in settings.trusted_proxies:
        try:
            around = ipaddress.ip_network(network, strict=False)
            if around.network_address != ipaddress.ip_interface(network).ip:
                yield f"MINOS_TRUSTED_PROXIES: {network} is one address in a network; did you mean {around}?"
        except ValueError:
            yield f"MINOS_TRUSTED_PROXIES: {network[:80]!r} is no network such as 10.0.0.0/8"
    for host in settings.allowed_hosts:
        if not re.fullmatch(r"\*|(\*\.)?[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]", host):
            yield f"MINOS_ALLOWED_HOSTS: {host[:80]!r} is no host name (no scheme, no port)"
    if settings.metrics_port == settings.port:
        yield "MINOS_METRICS_PORT and MINOS_PORT are the same"


def _about_names(settings: Settings) -> Iterator[str]:
    for audience in settings.audiences:
        if not _SLUG.fullmatch(audience):
            yield f"MINOS_AUDIENCES: {audience[:80]!r} is not a lower-case slug of at most 64 characters"
        elif audience == "minos":
            yield "MINOS_AUDIENCES: `minos` is always there; name the other services only"
    if len(set(settings.audiences)) != len(settings.audiences):
        yield "MINOS_AUDIENCES: a name is there twice"
    if settings.default_role == "admin":
        yield "MINOS_DEFAULT_ROLE: new users cannot be administrators"


def _about_url(name: str, secret: Secret | None, schemes: set[str]) -> Iterator[str]:
    if secret is None:
        return
    url = split_url(secret.reveal())
    if url is None or url.scheme not in schemes:
        yield f"{name}: expected a URL with scheme {' or '.join(sorted(schemes))}"


def split_url(url: str) -> SplitResult | None:
    """Take a URL apart; None when it is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises when it is no number
    except ValueError:
        return None
    return parts


def decoded_master_key(secret: Secret) -> bytes | None:
    """Give the key's bytes; None when the text is not base64 (either alphabet)."""
    try:
        return base64.b64decode(secret.reveal().replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        return None


def _is_whole(secret: Secret) -> bool:
    key = decoded_master_key(secret)
    return key is not None and len(key) == MASTER_KEY_BYTES


def _is_weak(secret: Secret) -> bool:
    key = decoded_master_key(secret)
    return key is None or len(set(key)) < MASTER_KEY_BYTES // 2
