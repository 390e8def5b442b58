"""Every setting of Minos: its meaning, unit, bounds and default. `settings_table` has them as rows, under the names operators give."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from adapters.secret import Secret

_DAY = 86_400


def _seconds(lowest: int, highest: int, text: str) -> Meta:
    return Meta(ge=lowest, le=highest, description=text, extra={"unit": "seconds"})


def _text(text: str, unit: str | None = None) -> Meta:
    return Meta(description=text, extra={"unit": unit})


def _number(lowest: int, highest: int, text: str, unit: str | None = None) -> Meta:
    return Meta(ge=lowest, le=highest, description=text, extra={"unit": unit})


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator may choose. Made by `settings_source.load`, which also fills in what follows from other settings."""

    environment: Annotated[
        Literal["development", "production"], _text("`production` refuses every setting that is only fit for trying out.")
    ] = "development"
    host: Annotated[str, _text("Address the API listens on. By default 127.0.0.1 in development, 0.0.0.0 in production.")] = ""
    port: Annotated[int, _number(1, 65_535, "Port the API listens on.")] = 8000
    metrics_host: Annotated[str, _text("Address the metrics are served on.")] = "127.0.0.1"
    metrics_port: Annotated[int, _number(0, 65_535, "Port the metrics are served on; 0 serves none.")] = 9464
    workers: Annotated[int, _number(1, 64, "API processes; one per core is enough.")] = 1
    issuer: Annotated[
        str,
        _text("Public URL of this authority, in every token as `iss`. By default `http://<host>:<port>`; https is required in production."),
    ] = ""
    allowed_hosts: Annotated[
        tuple[str, ...],
        _text(
            "`Host` names that are answered; `*.example.org` matches all below. By default the issuer's; in development this machine's too."
        ),
    ] = ()
    trusted_proxies: Annotated[
        tuple[str, ...], _text("Networks (CIDR) of proxies whose `Forwarded` or `X-Forwarded-For` is believed, read from the right.")
    ] = ()
    data_dir: Annotated[
        Path,
        _text(
            "Folder of everything Minos keeps on this machine: embedded servers, master key, metrics. Relative to the working folder; "
            "`./minos` of a clone takes the clone's `.minos` wherever it is called."
        ),
    ] = Path(".minos")
    second_place: Annotated[
        str,
        _text(
            "Folder, best on another machine, for what must outlive a restore of the database: the newest checkpoint of the log and the "
            "list of the erased; or a bucket, `s3://<bucket>/<prefix>?endpoint=<URL>&region=<region>`. By default `second-place` in "
            "MINOS_DATA_DIR."
        ),
    ] = ""
    second_place_key: Annotated[
        Secret | None,
        _text("Access key of that bucket, `<key id>:<secret>`: it has to read, list and put objects there, and delete none."),
    ] = None
    log_policy: Annotated[
        Path | None,
        _text(
            "File (C2SP tlog-policy) with the witnesses that are asked to cosign the log's checkpoints, their URLs, and the quorum "
            "without which none is served. Without it no witness is asked."
        ),
    ] = None
    log_public: Annotated[
        bool, _text("Whether anybody may read the hashes and checkpoints of the log (`/log/...`); entries take a permission either way.")
    ] = True
    database_url: Annotated[
        Secret | None,
        _text(
            "PostgreSQL 18 to serve from, as the role `minos_app`; of several hosts (`postgresql://role:password@a:5432,b:5432/minos`) "
            "whichever takes writes. Without it `minos up` starts one of its own."
        ),
    ] = None
    migration_database_url: Annotated[
        Secret | None, _text("The same database as its owner role: for `migrate` and `up`. Without it `up` uses DATABASE_URL and warns.")
    ] = None
    backup_database_url: Annotated[
        Secret | None,
        _text(
            "The same database as a role that may read all of it, as one with `pg_read_all_data`, for `backup make`; as an administrator, "
            "for `restore`. Only those two need it."
        ),
    ] = None
    nats_url: Annotated[
        Secret | None,
        _text("NATS with JetStream; several servers of a cluster with commas between. Without it `minos up` starts one of its own."),
    ] = None
    nats_replicas: Annotated[
        int,
        _number(
            0, 5, "Servers of a NATS cluster that keep each stream. By default (0) three where MINOS_NATS_URL names so many, else one."
        ),
    ] = 0
    nats_credentials: Annotated[
        Path | None, _text("File that proves to that server who we are: NATS credentials (JWT and seed), or a user's nkey seed alone.")
    ] = None
    nats_callout_issuer: Annotated[
        Secret | None,
        _text(
            "Seed of the account key (`SA...`) that the NATS server trusts to say who a connection is (`auth_callout { issuer }`). "
            "With it services reach NATS by their access tokens."
        ),
    ] = None
    nats_callout_xkey: Annotated[
        Secret | None, _text("Seed of the curve key (`SX...`) that the NATS server encrypts those questions to (`auth_callout { xkey }`).")
    ] = None
    master_key: Annotated[
        Secret | None,
        _text("32 random bytes in base64: wraps every key at rest. `minos up` makes and keeps one when the servers are its own."),
    ] = None
    master_key_previous: Annotated[
        Secret | None,
        _text(
            "Master keys besides, separated by commas or spaces: they open what they wrapped, until `minos keys rewrap` has moved it. They "
            "may also be in `master.key.previous` of MINOS_DATA_DIR, one a line."
        ),
    ] = None
    root_key: Annotated[
        Literal["local", "transit"],
        _text(
            "What new keys hang on: the master key, or the key in a KMS that MINOS_TRANSIT_URL names. The other, where it is set, opens "
            "what it wrapped."
        ),
    ] = "local"
    transit_url: Annotated[
        str,
        _text("Key of a KMS that has the transit engine of HashiCorp Vault: `https://<host>/v1/<mount>/keys/<name>`."),
    ] = ""
    transit_token: Annotated[Secret | None, _text("Token that may encrypt, decrypt and rewrap with that key.")] = None
    transit_token_path: Annotated[Path | None, _text("File that an agent keeps such a token in: read anew whenever one is needed.")] = None
    transit_namespace: Annotated[str, _text("Namespace that key is in, where there are any.")] = ""
    transit_ca_file: Annotated[Path | None, _text("Certificates (PEM) to trust for that KMS instead of the machine's.")] = None
    keys_dir: Annotated[
        str,
        _text(
            "Folder of the keys of the months, which all personal data hang on: every process of every machine needs the same one. Losing "
            "it loses all of them. Or a bucket, as MINOS_SECOND_PLACE and with its access key, that keeps no versions. By default `keys` "
            "in MINOS_DATA_DIR."
        ),
    ] = ""
    backup_days: Annotated[
        int,
        _number(
            1,
            3_660,
            "How old a backup of the database may get. A month's key is destroyed so long after its last use: older ones open no more. The "
            "database has to be told, as its owner: fewer days count from the next `minos migrate` or `minos up` on.",
            "days",
        ),
    ] = 30
    audiences: Annotated[
        tuple[str, ...],
        _text("Names of services that start-up registers as audiences, besides `minos` and `nats`, which are built in; lower-case slugs."),
    ] = ()
    default_role: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$(?!\n)", description="Role a new user has.")] = "user"
    passkey_rp_id: Annotated[
        str,
        _text(
            "Domain that passkeys are made for. By default the issuer's host (`localhost` for one on this machine); another one makes "
            "those there are useless."
        ),
    ] = ""
    passkey_origins: Annotated[
        tuple[str, ...], _text("Origins (`https://...`) whose pages may ask for a passkey, on that domain. By default the issuer's.")
    ] = ()
    service_name: Annotated[
        str, Meta(min_length=1, max_length=64, description="What people call this service; passwords containing it are refused.")
    ] = "minos"
    registration: Annotated[Literal["open", "invite", "closed"], _text("Who may register: anybody, the invited, or nobody.")] = "open"
    email_verification: Annotated[
        Literal["optional", "required"],
        _text("`required`: registering opens no account before its address is proved by a mailed link, and tells nobody who has one."),
    ] = "optional"
    unverified_sign_in: Annotated[
        Literal["allow", "refuse"],
        _text(
            "Whether an account signs in whose address was never proved; `refuse` says so (403) once the password was right. Accounts that "
            "an administrator made are not held to it."
        ),
    ] = "allow"
    suspicious_sign_in: Annotated[
        Literal["tell", "ask"],
        _text(
            "What follows a suspicious sign-in: `tell` writes to the owner; `ask` asks for a mailed code first where the account has no "
            "second factor and a proved address."
        ),
    ] = "tell"
    smtp_url: Annotated[
        Secret | None,
        _text(
            "Server that takes our mail: `smtps://user:password@host` (TLS), `smtp://...` (STARTTLS, demanded), or in development "
            "`smtp+plain://host:port` for a catcher of mail. Without it development writes mails to the folder `mail` of MINOS_DATA_DIR."
        ),
    ] = None
    smtp_ca_file: Annotated[Path | None, _text("Certificates (PEM) to trust for that server instead of the machine's.")] = None
    mail_from: Annotated[
        str, _text("Address our mail comes from. By default `minos@` the issuer's host; with MINOS_SMTP_URL it must be given.")
    ] = ""
    mail_language: Annotated[Literal["en", "de"], _text("Language mails are written in to whoever chose none.")] = "en"
    link_url: Annotated[
        str,
        _text(
            "Page that links in mails lead to, followed by `/verify`, `/confirm`, `/change`, `/undo`, `/reset` or `/invite`; the token "
            "is in the fragment, which no server sees. By default the issuer's own `/account`. Never taken from a request."
        ),
    ] = ""
    password_min_length: Annotated[
        int, _number(8, 128, "Shortest password accepted. 15 is advised where it is the only factor.", "characters")
    ] = 12
    password_min_score: Annotated[
        int,
        _number(
            0, 4, "Weakest password accepted, by the tries it takes to guess: 3 from 10^8 on, 4 from 10^10 on (zxcvbn); 0 accepts any."
        ),
    ] = 3
    sessions_per_user: Annotated[
        int, _number(0, 100, "Sessions of one person at one audience; one more ends the oldest. 0: as many as they like.", "sessions")
    ] = 0
    password_history: Annotated[
        int, _number(0, 24, "Earlier passwords that may not be chosen again, besides the present one; each is compared at a hash's cost.")
    ] = 5
    argon2_memory_kib: Annotated[int, _number(7_168, 2_097_152, "Memory of one password hash (Argon2id).", "KiB")] = 19_456
    argon2_passes: Annotated[int, _number(1, 32, "Passes of one password hash (Argon2id).")] = 2
    access_token_ttl: Annotated[int, _seconds(30, 3_600, "Life of an access token.")] = 300
    refresh_idle_ttl: Annotated[int, _seconds(60, 400 * _DAY, "A session not refreshed for so long is over.")] = 14 * _DAY
    refresh_absolute_ttl: Annotated[int, _seconds(60, 400 * _DAY, "A session is over so long after sign-in, whatever happens.")] = 90 * _DAY
    api_key_ttl: Annotated[int, _seconds(60, 3_660 * _DAY, "Life of an API key where its maker asks for none.")] = 90 * _DAY
    api_key_max_ttl: Annotated[int, _seconds(60, 3_660 * _DAY, "Longest life of an API key: none is for ever.")] = 365 * _DAY
    invitation_ttl: Annotated[int, _seconds(300, 90 * _DAY, "How long the link of an invitation works.")] = 7 * _DAY
    erasure_wait: Annotated[int, _seconds(1, 90 * _DAY, "How long somebody who asked to be erased can think better of it.")] = 7 * _DAY
    restore_period: Annotated[
        int, _seconds(1, 400 * _DAY, "How long a deleted account can be restored, and nobody else can have its address and username.")
    ] = 30 * _DAY
    barred_names: Annotated[
        int, _seconds(1, 3_660 * _DAY, "How long nobody can have the address and username of an account that was erased while suspended.")
    ] = 365 * _DAY
    activity_days: Annotated[
        int,
        _number(
            1, 3_660, "How long the log keeps what a refresh said after its session was over; `minos retention run` takes it out.", "days"
        ),
    ] = 90
    signing_algorithm: Annotated[Literal["ES256", "RS256", "PS256", "EdDSA"], _text("What signs tokens whose audience names no other.")] = (
        "ES256"
    )
    shutdown_grace: Annotated[int, _seconds(1, 300, "How long requests in flight may take to finish when told to stop.")] = 10
    shutdown_drain: Annotated[
        int,
        _seconds(
            0,
            300,
            "How long `serve` goes on answering once SIGTERM came, as not ready and for the last time on each connection: set it "
            "where a load balancer is in front.",
        ),
    ] = 0
    api_docs: Annotated[
        Literal["auto", "open", "off"], _text("Whether `/docs` is served to anybody; `auto` is open in development and off in production.")
    ] = "auto"
    debug: Annotated[bool, _text("Show inner errors in answers. Development only.")] = False
    limits_file: Annotated[
        Path | None, _text("TOML file with limits of your own, laid over those that ship: `minos limits` prints what is in force.")
    ] = None
    attributes_file: Annotated[
        Path | None, _text("TOML file that says what accounts may say of their people besides the name. Without it, nothing.")
    ] = None
    log_level: Annotated[Literal["debug", "info", "warning", "error"], _text("Least grave message that is logged.")] = "info"
    log_format: Annotated[
        Literal["auto", "json", "console"], _text("`json` for machines, `console` for people; `auto` is console on a terminal.")
    ] = "auto"

    @property
    def keys_place(self) -> str:
        return self.keys_dir or str(self.data_dir / "keys")

    @property
    def in_production(self) -> bool:
        return self.environment == "production"

    @property
    def docs_are_open(self) -> bool:
        return self.api_docs == "open" or (self.api_docs == "auto" and not self.in_production)
