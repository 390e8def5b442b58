"""The file that says what the limits are: what ships, what is laid over it, and how faults are told."""

from pathlib import Path

import pytest

from adapters.limits.policy import DEFAULT, Kind, Rate
from adapters.limits.policy_file import BadLimits, load, require_operations
from adapters.settings_source import BadSettings
from adapters.settings_source import load as load_settings
from api.policy import POLICY
from bench import limits_cost
from tests.limits.given import written


def refused(folder: Path, text: str) -> str:
    with pytest.raises(BadLimits) as caught:
        load(written(folder, text))
    return str(caught.value)


def test_every_operation_has_a_class_of_its_own_choice() -> None:
    """A new route is put into a class in adapters/limits/default.toml: the default is for what nobody thought of."""
    chosen = {operation for each in load(None).classes.values() for operation in each.operations}
    assert set(POLICY) - chosen == set(), "operations without a class in adapters/limits/default.toml"


def test_what_ships_names_no_operation_that_there_is_not() -> None:
    require_operations(load(None), POLICY)


def test_what_anybody_may_ask_is_limited_by_network_too() -> None:
    """Or whoever has a /48 would have 65,536 times the limit of an address. Probes of a cluster come from all over its network."""
    without = {each.name for each in load(None).classes.values() if Kind.NETWORK not in each.rates}
    assert without == {"health"}


def test_one_neighbour_alone_does_not_use_up_what_a_network_has() -> None:
    for each in load(None).classes.values():
        for address, network in zip(each.rates[Kind.ADDRESS], each.rates.get(Kind.NETWORK, ()), strict=False):
            assert (address.seconds, network.amount >= 2 * address.amount) == (network.seconds, True), each.name


@pytest.mark.parametrize(
    "operation", ["listMySessions", "endMySession", "endMyOtherSessions", "logout", "reauthenticate", "changePassword"]
)
def test_what_throws_somebody_out_is_counted_by_session_alone(operation: str) -> None:
    rates = load(None).of(operation).rates
    assert (Kind.SESSION in rates, Kind.ACCOUNT in rates) == (True, False)


def test_an_own_file_replaces_what_it_names_and_nothing_else(tmp_path: Path) -> None:
    shipped, own = load(None), load(written(tmp_path, '[sign_in]\naddress = ["5/1m"]\nname = []\n'))
    assert own.of("login").rates[Kind.ADDRESS] == (Rate(5, 60),)
    assert own.of("login").rates[Kind.NAME] == ()
    assert own.of("login").rates[Kind.NETWORK] == shipped.of("login").rates[Kind.NETWORK]
    assert own.of("refresh") == shipped.of("refresh")


def test_an_own_class_takes_its_operations_from_those_that_ship(tmp_path: Path) -> None:
    own = load(written(tmp_path, '[mine]\noperations = ["login"]\naddress = ["7/10s"]\n'))
    assert own.of("login").name == "mine"
    assert "login" not in own.classes["sign_in"].operations


def test_the_files_of_the_benchmarks_leave_no_limit_as_it_ships() -> None:
    """A class that they forget would be measured, and tested, as people use it."""
    shipped, raised, none = load(None), load(limits_cost.RAISED), load(limits_cost.NONE)
    assert [each.name for each in none.classes.values() if any(each.rates.values())] == []
    for name, each in shipped.classes.items():
        for kind, rates in each.rates.items():
            assert all(rate.amount >= 6_000_000 for rate in raised.classes[name].rates[kind]), (name, kind)
            assert len(raised.classes[name].rates[kind]) == len(rates), (name, kind)


def test_what_is_in_no_class_and_what_is_nowhere_has_the_default() -> None:
    assert load(None).of("brandNew").name == load(None).of(None).name == DEFAULT


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[sign_in]\naddress = "5/1m"', "[sign_in] address: expected a list of texts"),
        ('[sign_in]\naddress = ["5 per minute"]', "'5 per minute' is no rate such as 120/1m"),
        ('[sign_in]\naddress = ["0/1m"]', "out of bounds"),
        ('[sign_in]\naddress = ["5/0s"]', "out of bounds"),
        ('[sign_in]\naddress = ["5/8d"]', "out of bounds"),
        ('[sign_in]\naddress = ["100001/1s"]', "out of bounds"),
        ('[sign_in]\naddress = ["5/1m", "9/60s"]', "two rates over the same time"),
        ('[sign_in]\naddress = ["1/1s", "2/2s", "3/3s", "4/4s", "5/5s"]', "at most 4 rates"),
        ('[sign_in]\nadress = ["5/1m"]', "adress is none of operations, address, network, session, account, name"),
        ('[sign_in]\noperations = ["log in"]', "'log in' is no operation's name"),
        ('[a]\noperations = ["login"]\n[b]\noperations = ["login"]', "login is in two classes"),
        ('[Sign-In]\naddress = ["5/1m"]', "[Sign-In]: a class is named by"),
        ('address = ["5/1m"]', "address: expected a class"),
        ("[sign_in]\naddress == 5", "line 2"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, text: str, told: str) -> None:
    assert told in refused(tmp_path, text)


def test_every_fault_is_told_at_once(tmp_path: Path) -> None:
    assert len(refused(tmp_path, '[sign_in]\naddress = ["x"]\nnetwork = 5\n[own]\nnope = []\n').splitlines()) == 3


def test_an_operation_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadLimits, match=r"\[mine\]: there is no operation logn"):
        require_operations(load(written(tmp_path, '[mine]\noperations = ["logn"]\n')), POLICY)


def test_a_policy_that_cannot_be_used_stops_the_start(tmp_path: Path) -> None:
    for path in (written(tmp_path, "[sign_in]\naddress = 5"), tmp_path / "missing.toml"):
        with pytest.raises(BadSettings, match="MINOS_LIMITS_FILE"):
            load_settings({"MINOS_LIMITS_FILE": str(path)}, tmp_path)


@pytest.mark.parametrize(
    ("rate", "text"), [(Rate(5, 60), "5/1m"), (Rate(7, 90), "7/90s"), (Rate(1, 7_200), "1/2h"), (Rate(3, 86_400), "3/1d")]
)
def test_a_rate_is_written_as_it_is_read(rate: Rate, text: str) -> None:
    assert str(rate) == text
