"""What settings must agree on among themselves, and what `production` does not allow."""

import ipaddress
import re
from collections.abc import Callable, Iterator
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

from adapters import master_key_text, settings_files
from adapters.mail.server import Transport, server_of
from adapters.nats_keys import Kind, is_seed
from adapters.secret import Secret
from adapters.server_urls import each
from adapters.settings import Settings
from domain.audience import BUILT_IN

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{0,63}@[A-Za-z0-9-]{1,63}(\.[A-Za-z0-9-]{1,63})+")
_KEY_OF_TRANSIT = re.compile(r"/v1(/[A-Za-z0-9_.-]+)+/keys/[A-Za-z0-9_.-]+")
_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Check(Struct, frozen=True, kw_only=True):
    """`faults` looks at the fields in `needs` and no other: without one of them it has nothing to say."""

    needs: tuple[str, ...]
    faults: Callable[[Settings], Iterator[str]]


def contradictions(settings: Settings, unread: set[str]) -> Iterator[str]:
    """Give every contradiction or unusable value, as a line for the operator. `unread`: fields whose value is not known."""
    for check in CHECKS:
        if unread.isdisjoint(check.needs):
            yield from check.faults(settings)


def _about_issuer(settings: Settings) -> Iterator[str]:
    issuer = settings.issuer
    url = split_url(issuer)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname:
        yield f"MINOS_ISSUER: expected an http(s) URL, not {issuer[:200]!r}"
    elif url.query or url.fragment or url.username or issuer.endswith("/"):
        yield "MINOS_ISSUER: a URL without query, fragment, user and final slash"


def _about_proxies(settings: Settings) -> Iterator[str]:
    for network in settings.trusted_proxies:
        try:
            around = ipaddress.ip_network(network, strict=False)
            if around.network_address != ipaddress.ip_interface(network).ip:
                yield f"MINOS_TRUSTED_PROXIES: {network} is one address in a network; did you mean {around}?"
        except ValueError:
            yield f"MINOS_TRUSTED_PROXIES: {network[:80]!r} is no network such as 10.0.0.0/8"


def _about_hosts(settings: Settings) -> Iterator[str]:
    for host in settings.allowed_hosts:
        if not re.fullmatch(r"\*|(\*\.)?[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\]", host):
            yield f"MINOS_ALLOWED_HOSTS: {host[:80]!r} is no host name (no scheme, no port)"


def _about_audiences(settings: Settings) -> Iterator[str]:
    for audience in settings.audiences:
        if not _SLUG.fullmatch(audience):
            yield f"MINOS_AUDIENCES: {audience[:80]!r} is not a lower-case slug of at most 64 characters"
        elif audience in BUILT_IN:
            yield f"MINOS_AUDIENCES: `{audience}` is always there; name the other services only"
    if len(set(settings.audiences)) != len(settings.audiences):
        yield "MINOS_AUDIENCES: a name is there twice"


def _about_smtp(settings: Settings) -> Iterator[str]:
    try:
        server = None if settings.smtp_url is None else server_of(settings.smtp_url.reveal())
    except ValueError as bad:
        yield f"MINOS_SMTP_URL: {bad}"
    else:
        if settings.in_production and server is not None and server.transport is Transport.PLAIN:
            yield "production: MINOS_SMTP_URL must be smtps:// or smtp:// (with STARTTLS): mails hold links that let people in"


def _about_mail_from(settings: Settings) -> Iterator[str]:
    if not _ADDRESS.fullmatch(settings.mail_from):
        yield f"MINOS_MAIL_FROM: {settings.mail_from[:80]!r} is no plain address such as minos@example.org"
    elif settings.smtp_url is not None and settings.mail_from.endswith("@localhost.localdomain"):
        yield "MINOS_MAIL_FROM must be given with MINOS_SMTP_URL: the issuer has no domain to write from"


def _about_links(settings: Settings) -> Iterator[str]:
    if settings.link_url == f"{settings.issuer}/account":
        return  # what is wrong with it is the issuer's
    url = split_url(settings.link_url)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname or url.username or {"?", "#"} & set(settings.link_url):
        yield f"MINOS_LINK_URL: expected an http(s) URL without query, fragment and user, not {settings.link_url[:200]!r}"
    elif settings.link_url.endswith("/"):
        yield "MINOS_LINK_URL: a URL without a final slash"
    elif settings.in_production and url.scheme != "https":
        yield "production: MINOS_LINK_URL must be an https URL"


def _about_transit(settings: Settings) -> Iterator[str]:
    address = settings.transit_url
    if not address:
        if settings.root_key == "transit":
            yield "MINOS_ROOT_KEY=transit needs MINOS_TRANSIT_URL"
        return
    url = split_url(address)
    if url is None or url.scheme not in {"http", "https"} or not url.hostname or not _KEY_OF_TRANSIT.fullmatch(url.path) or url.query:
        yield f"MINOS_TRANSIT_URL: expected https://<host>/v1/<mount>/keys/<name>, not {address[:200]!r}"
    elif settings.in_production and url.scheme != "https":
        yield "production: MINOS_TRANSIT_URL must be an https URL"
    if (settings.transit_token is None) == (settings.transit_token_path is None):
        yield "MINOS_TRANSIT_URL needs one of MINOS_TRANSIT_TOKEN and MINOS_TRANSIT_TOKEN_PATH"
    if settings.transit_ca_file is not None and not settings.transit_ca_file.is_file():
        yield "MINOS_TRANSIT_CA_FILE: there is no such file"


def _about_passkeys(settings: Settings) -> Iterator[str]:
    domain = settings.passkey_rp_id
    if not re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)*", domain):
        yield f"MINOS_PASSKEY_RP_ID: {domain[:80]!r} is no domain in lower case (no scheme, no port)"
    for origin in settings.passkey_origins:
        url = split_url(origin)
        host = "" if url is None else url.hostname or ""
        if url is None or url.scheme not in {"http", "https"} or url.path or url.query or url.fragment or url.username:
            yield f"MINOS_PASSKEY_ORIGINS: {origin[:200]!r} is no origin such as https://login.example.org"
        elif host != domain and not host.endswith(f".{domain}"):
            yield f"MINOS_PASSKEY_ORIGINS: {origin[:200]} is not on {domain[:80]} (MINOS_PASSKEY_RP_ID): no browser makes a passkey there"
        elif settings.in_production and url.scheme != "https" and not _is_plain(settings.issuer):
            yield "production: MINOS_PASSKEY_ORIGINS must be https origins"


def _url(field: str, schemes: set[str]) -> Check:
    text = f"MINOS_{field.upper()}: expected a URL with scheme {' or '.join(sorted(schemes))}"

    def is_another(settings: Settings) -> bool:
        secret: Secret | None = getattr(settings, field)
        return secret is not None and not all(_has_scheme(url, schemes) for url in each(secret.reveal()))

    return _never(is_another, text, field)


def _has_scheme(url: str, schemes: set[str]) -> bool:
    parts = split_url(url)
    return parts is not None and parts.scheme in schemes


def _never(holds: Callable[[Settings], bool], text: str, *needs: str) -> Check:
    return Check(needs=needs, faults=lambda settings: iter([text] if holds(settings) else []))


def _trying_out(holds: Callable[[Settings], bool], text: str, *needs: str) -> Check:
    """What is only fit for trying out is refused in production, and nowhere else."""
    return _never(lambda settings: settings.in_production and holds(settings), f"production: {text}", "environment", *needs)


def split_url(url: str) -> SplitResult | None:
    """Take a URL apart; None when it is none."""
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018 - raises when it is no number
    except ValueError:
        return None
    return parts


def _is_plain(issuer: str) -> bool:
    url = split_url(issuer)
    return url is None or url.scheme != "https"


def _about_places(settings: Settings) -> Iterator[str]:
    buckets = {name: url for name, url in (("SECOND_PLACE", settings.second_place), ("KEYS_DIR", settings.keys_dir)) if "://" in url}
    if not buckets:
        return
    from adapters.second_place.bucket import BadBucket, read_account, read_bucket

    for name, url in buckets.items():
        try:
            if settings.in_production and read_bucket(url).endpoint.scheme != "https":
                yield f"production: MINOS_{name}: the endpoint must be an https URL"
            read_bucket(url)
        except BadBucket as bad:
            yield f"MINOS_{name}: {bad}"
    try:
        read_account(settings.second_place_key, "")
    except BadBucket as bad:
        yield f"MINOS_SECOND_PLACE_KEY: {bad}"


CHECKS: tuple[Check, ...] = (
    Check(needs=("second_place", "second_place_key", "keys_dir", "environment"), faults=_about_places),
    Check(needs=("issuer",), faults=_about_issuer),
    Check(needs=("trusted_proxies",), faults=_about_proxies),
    Check(needs=("allowed_hosts",), faults=_about_hosts),
    _never(lambda s: s.metrics_port == s.port, "MINOS_METRICS_PORT and MINOS_PORT are the same", "metrics_port", "port"),
    Check(needs=("audiences",), faults=_about_audiences),
    _never(lambda s: s.default_role == "admin", "MINOS_DEFAULT_ROLE: new users cannot be administrators", "default_role"),
    _url("database_url", {"postgresql", "postgres"}),
    _url("migration_database_url", {"postgresql", "postgres"}),
    _url("backup_database_url", {"postgresql", "postgres"}),
    _url("nats_url", {"nats", "tls", "ws", "wss"}),
    Check(needs=("limits_file",), faults=settings_files.about_limits),
    Check(needs=("attributes_file",), faults=settings_files.about_attributes),
    Check(needs=("log_policy",), faults=settings_files.about_log_policy),
    Check(needs=("nats_credentials",), faults=settings_files.about_nats_credentials),
    _never(
        lambda s: s.nats_credentials is not None and s.nats_url is None,
        "MINOS_NATS_CREDENTIALS needs MINOS_NATS_URL: the embedded NATS has a key of its own",
        "nats_credentials", "nats_url",
    ),
    _never(
        lambda s: s.nats_callout_issuer is not None and not is_seed(s.nats_callout_issuer.reveal(), Kind.ACCOUNT),
        "MINOS_NATS_CALLOUT_ISSUER: expected the seed of an account key (SA...)",
        "nats_callout_issuer",
    ),
    _never(
        lambda s: s.nats_callout_xkey is not None and not is_seed(s.nats_callout_xkey.reveal(), Kind.CURVE),
        "MINOS_NATS_CALLOUT_XKEY: expected the seed of a curve key (SX...)",
        "nats_callout_xkey",
    ),
    _never(
        lambda s: (s.nats_callout_issuer is None) != (s.nats_callout_xkey is None),
        "MINOS_NATS_CALLOUT_ISSUER and MINOS_NATS_CALLOUT_XKEY go together",
        "nats_callout_issuer", "nats_callout_xkey",
    ),
    _never(
        lambda s: s.nats_callout_issuer is not None and s.nats_url is None,
        "MINOS_NATS_CALLOUT_ISSUER needs MINOS_NATS_URL: the embedded NATS has keys of its own",
        "nats_callout_issuer", "nats_url",
    ),
    _never(
        lambda s: s.migration_database_url is not None and s.database_url is None,
        "MINOS_MIGRATION_DATABASE_URL needs MINOS_DATABASE_URL: the owner's role must not serve requests",
        "migration_database_url", "database_url",
    ),
    Check(needs=("master_key",), faults=lambda s: master_key_text.faults("MINOS_MASTER_KEY", s.master_key, most=1)),
    Check(needs=("master_key_previous",), faults=lambda s: master_key_text.faults("MINOS_MASTER_KEY_PREVIOUS", s.master_key_previous)),
    Check(
        needs=("root_key", "transit_url", "transit_token", "transit_token_path", "transit_ca_file", "environment"), faults=_about_transit
    ),
    _never(
        lambda s: s.refresh_idle_ttl > s.refresh_absolute_ttl,
        "MINOS_REFRESH_IDLE_TTL is longer than MINOS_REFRESH_ABSOLUTE_TTL",
        "refresh_idle_ttl", "refresh_absolute_ttl",
    ),
    Check(needs=("smtp_url", "environment"), faults=_about_smtp),
    Check(needs=("mail_from", "smtp_url", "issuer"), faults=_about_mail_from),
    Check(needs=("link_url", "environment", "issuer"), faults=_about_links),
    Check(needs=("passkey_rp_id", "passkey_origins", "environment", "issuer"), faults=_about_passkeys),
    _never(
        lambda s: s.smtp_ca_file is not None and not s.smtp_ca_file.is_file(), "MINOS_SMTP_CA_FILE: there is no such file", "smtp_ca_file"
    ),
    _trying_out(lambda s: _is_plain(s.issuer), "MINOS_ISSUER must be an https URL", "issuer"),
    _trying_out(
        lambda s: s.master_key is None and s.root_key == "local",
        "MINOS_MASTER_KEY must be given: a key made on the spot is lost with the machine",
        "master_key", "root_key",
    ),
    _trying_out(
        lambda s: s.master_key is not None and master_key_text.is_weak(s.master_key),
        "MINOS_MASTER_KEY is no random key: it repeats itself",
        "master_key",
    ),
    _trying_out(
        lambda s: s.database_url is None, "MINOS_DATABASE_URL must be given: the embedded PostgreSQL is for trying out", "database_url"
    ),
    _trying_out(lambda s: s.nats_url is None, "MINOS_NATS_URL must be given: the embedded NATS is for trying out", "nats_url"),
    _trying_out(lambda s: s.api_docs == "open", "MINOS_API_DOCS=open shows the documents to anybody", "api_docs"),
    _trying_out(lambda s: s.debug, "MINOS_DEBUG shows inner errors to callers", "debug"),
    _trying_out(
        lambda s: s.registration == "open" and s.email_verification == "optional",
        "MINOS_REGISTRATION=open lets anybody take another's unproved address; set invite or closed, or MINOS_EMAIL_VERIFICATION=required",
        "registration", "email_verification",
    ),
    _trying_out(
        lambda s: s.email_verification == "required" and s.smtp_url is None,
        "MINOS_EMAIL_VERIFICATION=required needs MINOS_SMTP_URL: nobody could prove anything",
        "email_verification", "smtp_url",
    ),
    _trying_out(lambda s: "*" in s.allowed_hosts, "MINOS_ALLOWED_HOSTS must name the hosts", "allowed_hosts"),
)  # fmt: skip
