"""Settings: where they come from, what is refused, and that a secret stays one."""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.secret import Secret
from adapters.settings import Settings
from adapters.settings_checks import CHECKS
from adapters.settings_source import BadSettings, Loaded, load
from adapters.settings_table import SETTINGS

NOWHERE = Path("/nonexistent-folder")
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
ISSUER = "SAAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4HYMHI"
XKEY = "SXAAAAICAMCAKBQHBAEQUCYMBUHA6EARCIJRIFIWC4MBSGQ3DQOR4H74KM"
NATS_URL = "nats://host"
FIT_FOR_PRODUCTION = {
    "MINOS_ENVIRONMENT": "production",
    "MINOS_ISSUER": "https://id.example.org",
    "MINOS_MASTER_KEY": KEY,
    "MINOS_DATABASE_URL": "postgresql://minos_app:pw@db.example.org/minos",
    "MINOS_NATS_URL": "nats://minos:pw@nats.example.org",
    "MINOS_REGISTRATION": "invite",
}


def read(environ: dict[str, str], folder: Path = NOWHERE) -> Settings:
    return load(environ, folder).settings


def refused(environ: dict[str, str], folder: Path = NOWHERE) -> tuple[str, ...]:
    with pytest.raises(BadSettings) as caught:
        load(environ, folder)
    return caught.value.problems


def test_nothing_configured_is_enough_to_try_out() -> None:
    settings = read({})
    assert (settings.host, settings.port, settings.issuer) == ("127.0.0.1", 8000, "http://127.0.0.1:8000")
    assert settings.data_dir == NOWHERE / ".minos"
    assert "localhost" in settings.allowed_hosts


def test_an_unknown_name_refuses_to_start_and_says_what_was_meant() -> None:
    assert refused({"MINOS_ACESS_TOKEN_TTL": "60"}) == ("MINOS_ACESS_TOKEN_TTL is not a setting; did you mean MINOS_ACCESS_TOKEN_TTL?",)


def test_all_faults_are_told_at_once() -> None:
    problems = refused({"MINOS_PORT": "0", "MINOS_WORKERS": "many", "MINOS_REGISTRATION": "yes", "MINOS_NOPE": "1"})
    assert len(problems) == 4


def test_values_that_parse_are_held_against_each_other_while_another_does_not() -> None:
    problems = refused(
        {
            "MINOS_WORKERS": "many",
            "MINOS_TRUSTED_PROXIES": "proxy",
            "MINOS_AUDIENCES": "Orders",
            "MINOS_REFRESH_IDLE_TTL": "91d",
            "MINOS_METRICS_PORT": "8000",
            "MINOS_NOPE": "1",
        }
    )
    assert len(problems) == 6


def test_production_is_held_to_its_rules_while_a_value_does_not_parse() -> None:
    problems = refused(FIT_FOR_PRODUCTION | {"MINOS_WORKERS": "many", "MINOS_DEBUG": "1", "MINOS_ISSUER": "http://id.example.org"})
    assert [problem.partition(":")[0] for problem in problems] == ["MINOS_WORKERS", "production", "production"]


@pytest.mark.parametrize(
    "environ",
    [
        {"MINOS_METRICS_PORT": "x", "MINOS_PORT": "9464"},
        {"MINOS_PORT": "x", "MINOS_METRICS_PORT": "8000"},
        {"MINOS_REFRESH_ABSOLUTE_TTL": "long", "MINOS_REFRESH_IDLE_TTL": "91d"},
        {"MINOS_DATABASE_URL_FILE": "none", "MINOS_MIGRATION_DATABASE_URL": "postgresql://owner@db/minos"},
        {"MINOS_ENVIRONMENT": "prod", "MINOS_DEBUG": "1"},
        FIT_FOR_PRODUCTION | {"MINOS_REGISTRATION": "yes"},
        {name: text for name, text in FIT_FOR_PRODUCTION.items() if name != "MINOS_MASTER_KEY"} | {"MINOS_MASTER_KEY_FILE": "none"},
    ],
    ids=lambda environ: next(reversed(environ)),
)
def test_a_value_that_cannot_be_read_is_told_once_and_its_default_accused_of_nothing(environ: dict[str, str]) -> None:
    assert len(refused(environ)) == 1


class Seen:
    """Settings that remember which of their fields were looked at."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.fields: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        self.fields.add({"in_production": "environment"}.get(name, name))
        return getattr(self._settings, name)


@pytest.mark.parametrize("environ", [{}, FIT_FOR_PRODUCTION, {"MINOS_MIGRATION_DATABASE_URL": "x", "MINOS_DATABASE_URL": "postgresql://x"}])
def test_a_check_looks_at_no_more_than_it_says(environ: dict[str, str]) -> None:
    parsed = {setting.field: environ[setting.name] for setting in SETTINGS if setting.name in environ}
    settings = msgspec.convert(parsed, Settings, dec_hook=lambda kind, value: kind(value))
    for check in CHECKS:
        seen = Seen(settings)
        list(check.faults(cast("Settings", seen)))  # it has every attribute of them
        assert seen.fields <= set(check.needs)


def test_an_access_token_lives_an_hour_at_most() -> None:
    assert read({"MINOS_ACCESS_TOKEN_TTL": "1h"}).access_token_ttl == 3600
    assert "30 to 3600 seconds" in refused({"MINOS_ACCESS_TOKEN_TTL": "3601"})[0]


@given(st.integers(0, 10**6), st.sampled_from("smhd"))
def test_a_duration_is_refused_exactly_outside_its_bounds(number: int, unit: str) -> None:
    seconds = number * {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
    environ = {"MINOS_REFRESH_ABSOLUTE_TTL": f"{number}{unit}", "MINOS_REFRESH_IDLE_TTL": "60"}
    if 60 <= seconds <= 400 * 86400:
        assert read(environ).refresh_absolute_ttl == seconds
    else:
        assert refused(environ)


@given(st.sampled_from([setting.name for setting in SETTINGS]), st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_no_value_makes_anything_but_settings_or_words(name: str, text: str) -> None:
    try:
        result: object = load({name: text}, NOWHERE)
    except BadSettings as bad:
        result = bad
    assert isinstance(result, Loaded | BadSettings)


@given(st.sampled_from([setting for setting in SETTINGS if setting.secret]), st.text(min_size=8, alphabet="abcdefghij"))
def test_a_secret_shows_in_no_message_and_no_repr(setting: object, text: str) -> None:
    name = setting.name  # type: ignore[attr-defined]
    try:
        shown = repr(load({name: text}, NOWHERE))
    except BadSettings as bad:
        shown = repr(bad) + str(bad)
    assert text not in shown


def test_a_secret_hides_in_every_way_of_printing() -> None:
    secret = Secret("hunter2")
    assert "hunter2" not in f"{secret} {secret!r} {[secret]}"
    assert secret.reveal() == "hunter2"
    assert secret == Secret("hunter2")
    assert secret != Secret("hunter3")


def test_a_file_gives_the_value_of_its_setting(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY + "\n")
    loaded = load({"MINOS_MASTER_KEY_FILE": str(tmp_path / "key")}, tmp_path)
    assert loaded.settings.master_key == Secret(KEY)
    assert loaded.origins["MINOS_MASTER_KEY"].startswith("MINOS_MASTER_KEY_FILE")


def test_a_value_and_a_file_for_one_setting_contradict_each_other(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    problems = refused({"MINOS_MASTER_KEY": KEY, "MINOS_MASTER_KEY_FILE": str(tmp_path / "key")})
    assert problems == ("MINOS_MASTER_KEY and MINOS_MASTER_KEY_FILE are both set: keep one",)


def test_a_missing_file_and_an_empty_one_refuse_to_start(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    assert "cannot be read" in refused({"MINOS_MASTER_KEY_FILE": str(tmp_path / "none")})[0]
    assert "is empty" in refused({"MINOS_MASTER_KEY_FILE": str(tmp_path / "empty")})[0]


def test_dotenv_is_read_in_development_and_the_environment_wins(tmp_path: Path) -> None:
    lines = "# mine\nexport MINOS_PORT=9001 # with a note\nMINOS_SERVICE_NAME='my # name'\nOTHER=1\nMINOS_WORKERS=2\n"
    (tmp_path / ".env").write_text(lines)
    settings = read({"MINOS_WORKERS": "3"}, tmp_path)
    assert (settings.port, settings.service_name, settings.workers) == (9001, "my # name", 3)


def test_dotenv_is_not_read_in_production_nor_can_it_be_production(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MINOS_PORT=9001\n")
    assert read(FIT_FOR_PRODUCTION, tmp_path).port == 8000
    (tmp_path / ".env").write_text("MINOS_ENVIRONMENT=production\n")
    assert "must come from the environment" in refused({}, tmp_path)[0]


def test_a_file_does_not_say_that_it_is_production(tmp_path: Path) -> None:
    """Otherwise `.env` would be read in production, and a reload could end it."""
    (tmp_path / "environment").write_text("production")
    given = {name: text for name, text in FIT_FOR_PRODUCTION.items() if name != "MINOS_ENVIRONMENT"}
    assert "must come from the environment" in refused(given | {"MINOS_ENVIRONMENT_FILE": str(tmp_path / "environment")}, tmp_path)[0]
    (tmp_path / ".env").write_text("MINOS_PORT=9001\n")
    assert read(given | {"MINOS_ENVIRONMENT": " production"}, tmp_path).port == 8000


@pytest.mark.parametrize("network", ["10.0.0.1/8", "300.0.0.0/8", "proxy", "::1/129"])
def test_a_trusted_proxy_that_is_no_network_stops_the_start(network: str) -> None:
    assert refused({"MINOS_TRUSTED_PROXIES": f"127.0.0.1/32,{network}"})


def test_an_address_in_a_network_is_answered_with_the_network() -> None:
    assert "did you mean 10.0.0.0/8?" in refused({"MINOS_TRUSTED_PROXIES": "10.0.0.1/8"})[0]


@pytest.mark.parametrize(
    "change",
    [
        {"MINOS_ISSUER": "http://id.example.org"},
        {"MINOS_MASTER_KEY": ""},
        {"MINOS_MASTER_KEY": "A" * 43 + "="},
        {"MINOS_DATABASE_URL": ""},
        {"MINOS_NATS_URL": ""},
        {"MINOS_API_DOCS": "open"},
        {"MINOS_DEBUG": "true"},
        {"MINOS_REGISTRATION": "open"},
        {"MINOS_ALLOWED_HOSTS": "*"},
        {"MINOS_EMAIL_VERIFICATION": "required"},
        {"MINOS_SMTP_URL": "smtp+plain://mail:1025"},
        {"MINOS_LINK_URL": "http://app.example.org/account"},
    ],
    ids=lambda change: next(iter(change.items())),
)
def test_production_refuses_what_is_only_fit_for_trying_out(change: dict[str, str]) -> None:
    assert len(refused(FIT_FOR_PRODUCTION | change)) == 1


def test_production_starts_when_everything_is_given() -> None:
    settings = read(FIT_FOR_PRODUCTION)
    assert settings.in_production
    assert not settings.docs_are_open
    assert settings.allowed_hosts == ("id.example.org",)


def test_production_tells_every_refusal_at_once() -> None:
    assert len(refused({"MINOS_ENVIRONMENT": "production", "MINOS_DEBUG": "1"})) == 6


@pytest.mark.parametrize(
    "environ",
    [
        {"MINOS_AUDIENCES": "minos"},
        {"MINOS_AUDIENCES": "nats"},
        {"MINOS_AUDIENCES": "orders,orders"},
        {"MINOS_AUDIENCES": "Orders"},
        {"MINOS_DEFAULT_ROLE": "admin"},
        {"MINOS_ISSUER": "https://id.example.org/"},
        {"MINOS_ISSUER": "id.example.org"},
        {"MINOS_ISSUER": "https://[bad"},
        {"MINOS_REFRESH_IDLE_TTL": "91d"},
        {"MINOS_METRICS_PORT": "8000"},
        {"MINOS_DATABASE_URL": "mysql://x/y"},
        {"MINOS_NATS_URL": "http://x"},
        {"MINOS_MASTER_KEY": "c2hvcnQ="},
        {"MINOS_MASTER_KEY": f"{KEY} {KEY}"},
        {"MINOS_MASTER_KEY_PREVIOUS": f"{KEY},c2hvcnQ="},
        {"MINOS_ROOT_KEY": "transit"},  # and no KMS
        {"MINOS_KEYS_DIR": "s3://bucket/keys"},  # and no access key
        {"MINOS_KEYS_DIR": "https://bucket/keys", "MINOS_SECOND_PLACE_KEY": "AKIA:secret"},
        {"MINOS_TRANSIT_URL": "https://vault.example.org/v1/transit/keys/minos"},  # and no token
        {"MINOS_TRANSIT_URL": "https://vault.example.org/transit/minos", "MINOS_TRANSIT_TOKEN": "hvs.x"},
        {"MINOS_TRANSIT_URL": "https://vault/v1/transit/keys/minos", "MINOS_TRANSIT_TOKEN": "hvs.x", "MINOS_TRANSIT_CA_FILE": "/nowhere"},
        {"MINOS_MIGRATION_DATABASE_URL": "postgresql://owner@db/minos"},
        {"MINOS_SMTP_URL": "smtps://mail.example.org"},  # and nobody to write as: the issuer is an IP
        {"MINOS_SMTP_URL": "smtp+plain://user:password@mail"},
        {"MINOS_MAIL_FROM": "Minos <minos@example.org>"},
        {"MINOS_LINK_URL": "https://app.example.org/account#"},
        {"MINOS_LINK_URL": "https://app.example.org/account?x=1"},
        {"MINOS_LINK_URL": "javascript:alert(1)"},
        {"MINOS_SMTP_CA_FILE": "/nowhere/ca.pem"},
        {"MINOS_NATS_URL": NATS_URL, "MINOS_NATS_CALLOUT_ISSUER": ISSUER},  # and no curve key
        {"MINOS_NATS_URL": NATS_URL, "MINOS_NATS_CALLOUT_ISSUER": ISSUER, "MINOS_NATS_CALLOUT_XKEY": ISSUER},
        {"MINOS_NATS_URL": NATS_URL, "MINOS_NATS_CALLOUT_ISSUER": XKEY, "MINOS_NATS_CALLOUT_XKEY": XKEY},
        {"MINOS_NATS_CALLOUT_ISSUER": ISSUER, "MINOS_NATS_CALLOUT_XKEY": XKEY},  # and no server
    ],
    ids=str,
)
def test_what_contradicts_itself_is_refused(environ: dict[str, str]) -> None:
    assert refused(environ)


def test_several_keys_that_open_are_given_in_one_setting() -> None:
    assert read({"MINOS_MASTER_KEY_PREVIOUS": f"{KEY}, {KEY}"}).master_key_previous == Secret(f"{KEY}, {KEY}")


def test_production_takes_a_kms_instead_of_a_master_key_and_only_over_https() -> None:
    url = "https://vault.example.org/v1/transit/keys/minos"
    kms = {"MINOS_ROOT_KEY": "transit", "MINOS_TRANSIT_URL": url, "MINOS_TRANSIT_TOKEN": "hvs.x"}
    without = {name: text for name, text in FIT_FOR_PRODUCTION.items() if name != "MINOS_MASTER_KEY"}
    assert read(without | kms).in_production
    plain = kms | {"MINOS_TRANSIT_URL": url.replace("https", "http")}
    assert refused(without | plain) == ("production: MINOS_TRANSIT_URL must be an https URL",)


def test_every_setting_says_what_it_is_and_what_it_takes() -> None:
    for setting in SETTINGS:
        assert setting.doc.endswith(".")
        assert setting.name == "MINOS_" + setting.field.upper()
    assert {setting.name for setting in SETTINGS if setting.secret} == {
        "MINOS_BACKUP_DATABASE_URL",
        "MINOS_DATABASE_URL", "MINOS_MIGRATION_DATABASE_URL", "MINOS_NATS_URL", "MINOS_MASTER_KEY", "MINOS_SMTP_URL",
        "MINOS_NATS_CALLOUT_ISSUER", "MINOS_NATS_CALLOUT_XKEY", "MINOS_MASTER_KEY_PREVIOUS", "MINOS_TRANSIT_TOKEN",
        "MINOS_SECOND_PLACE_KEY",
    }  # fmt: skip


@pytest.mark.parametrize(("url", "replicas"), [("nats://a", 1), ("nats://a,b", 1), ("nats://a,b,c", 3), ("nats://a,nats://b,nats://c", 3)])
def test_streams_are_kept_by_three_servers_where_three_are_named(tmp_path: Path, url: str, replicas: int) -> None:
    assert load({"MINOS_NATS_URL": url}, tmp_path).settings.nats_replicas == replicas
    assert load({"MINOS_NATS_URL": url, "MINOS_NATS_REPLICAS": "5"}, tmp_path).settings.nats_replicas == 5


@pytest.mark.parametrize("url", ["postgresql://r:p@a:5432,b:5432/minos", "postgresql://r:p@a,b:5433/minos"])
def test_a_database_may_have_several_hosts(tmp_path: Path, url: str) -> None:
    assert load({"MINOS_DATABASE_URL": url}, tmp_path).settings.database_url == Secret(url)


@pytest.mark.parametrize("name", ["MINOS_DATABASE_URL", "MINOS_NATS_URL"])
def test_each_of_several_servers_has_to_be_one(tmp_path: Path, name: str) -> None:
    scheme = "nats" if "NATS" in name else "postgresql"
    with pytest.raises(BadSettings, match=name):
        load({name: f"{scheme}://a:5432,http://b"}, tmp_path)
    with pytest.raises(BadSettings, match=name):
        load({name: f"{scheme}://a:5432,b:port"}, tmp_path)
