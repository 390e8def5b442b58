"""Merging: any order, any number of copies, with whatever was lost made good by a snapshot, comes to the same."""

from collections.abc import Sequence
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from minos_sdk.claims import Claims, read_claims
from minos_sdk.facts import ApiKeyRevoked, ClientEpoch, Fact, KeyWithdrawn, RoleGives, SessionEnded, TokenRevoked, UserEpoch, UserRoles
from minos_sdk.revocations import LONGEST_LEEWAY, Revocations, ties_of_claims
from minos_sdk.testing import Authority
from minos_sdk.token_reader import identity_of

USERS = ["0190a1b2-0000-7000-8000-000000000001", "0190a1b2-0000-7000-8000-000000000002"]
CLIENTS, ROLES = ["web", "billing"], ["admin", "clerk", "guest"]
AUTHORITY = Authority(audience="shop")

untils = st.none() | st.integers(1, 50)
few = st.frozensets(st.sampled_from(ROLES))
given_permissions = st.frozensets(st.sampled_from(["a.read", "a.write", "b.*"]))
facts: st.SearchStrategy[Fact] = st.one_of(
    st.builds(SessionEnded, st.sampled_from(["s1", "s2"]), untils),
    st.builds(TokenRevoked, st.sampled_from(["t1", "t2"]), untils),
    st.builds(ApiKeyRevoked, st.sampled_from(["k1", "k2"]), untils),
    st.builds(KeyWithdrawn, st.sampled_from(["kid1", "kid2"]), untils),
    st.builds(UserEpoch, st.sampled_from(USERS), st.integers(0, 4), untils),
    st.builds(ClientEpoch, st.sampled_from(CLIENTS), st.none() | st.integers(0, 4), untils),
    st.builds(UserRoles, st.just("shop"), st.sampled_from(USERS), few, st.integers(0, 4), untils),
    st.builds(RoleGives, st.just("shop"), st.sampled_from(ROLES), given_permissions, st.booleans(), st.integers(1, 4)),
)


def person(
    user: str, *, epoch: int = 2, roles: Sequence[str] = ROLES, roles_version: int = 2, sid: str = "s1", kid: str = "kid1"
) -> Claims:
    said = AUTHORITY.tokens.user_claims(user, roles=roles, epoch=epoch, roles_version=roles_version, sid=sid, client_id="web", jti="t9")
    return read_claims(said, kid=kid)


def service(client: str, *, epoch: int = 2, jti: str = "t1") -> Claims:
    return read_claims(AUTHORITY.tokens.service_claims(client, epoch=epoch, jti=jti, permissions=["a.read"]), kid="kid2")


PERSONS = product(USERS, (1, 3), ("s1", "s3"), ("kid1", "kid3"), (1, 3))
ASKED_PERSONS = [person(user, epoch=epoch, sid=sid, kid=kid, roles_version=version) for user, epoch, sid, kid, version in PERSONS]
ASKED = ASKED_PERSONS + [service(client, epoch=epoch, jti=jti) for client, epoch, jti in product(CLIENTS, (1, 3), ("t1", "t3"))]


def verdicts(known: Revocations) -> list[object]:
    found: list[object] = []
    for claims in ASKED:
        ties = ties_of_claims(claims)
        narrowed = known.narrowed(identity_of(claims), claims, ties.user)
        found.append((known.refusal(ties), narrowed.roles, narrowed.permissions))
    return found


def merged(told: Sequence[Fact]) -> Revocations:
    known = Revocations("shop")
    for fact in told:
        known.merge(fact)
    return known


@given(st.lists(facts, max_size=12).flatmap(lambda told: st.tuples(st.just(told), st.permutations(told + told[: len(told) // 2]))))
def test_order_and_copies_make_no_difference(cases: tuple[list[Fact], list[Fact]]) -> None:
    told, otherwise = cases
    assert verdicts(merged(told)) == verdicts(merged(otherwise))


@given(
    st.lists(facts, max_size=12).flatmap(lambda told: st.tuples(st.just(told), st.lists(st.sampled_from(told)) if told else st.just([])))
)
def test_what_was_lost_is_made_good_by_a_snapshot(cases: tuple[list[Fact], list[Fact]]) -> None:
    told, arrived = cases
    assert verdicts(merged([*arrived, *told])) == verdicts(merged(told))


@given(st.lists(facts, max_size=8), facts)
def test_a_fact_only_ever_takes_away_from_a_token_in_hand(told: list[Fact], another: Fact) -> None:
    known = merged(told)
    before = verdicts(known)
    known.merge(another)
    for (refusal, roles, _), (later, roles_later, _) in zip(before, verdicts(known), strict=True):  # type: ignore[misc]
        assert not (refusal is not None and later is None)
        if not isinstance(another, RoleGives | UserRoles):
            assert roles_later == roles


@given(st.lists(facts, max_size=8))
def test_a_version_that_stayed_means_that_nothing_changed(told: list[Fact]) -> None:
    known = merged(told)
    for fact in told:
        version, before = known.version, verdicts(known)
        assert not known.merge(fact)
        assert (known.version, verdicts(known)) == (version, before)


def test_a_session_is_over_for_good() -> None:
    known = merged([SessionEnded("s1", 5)])
    assert known.refusal(ties_of_claims(person(USERS[0]))) == "session"
    assert known.refusal(ties_of_claims(person(USERS[0], sid="s2"))) is None


def test_only_lower_epochs_are_over() -> None:
    known = merged([UserEpoch(USERS[0], 3, 5), UserEpoch(USERS[0], 2, 5)])
    assert [known.refusal(ties_of_claims(person(USERS[0], epoch=epoch))) for epoch in (2, 3, 4)] == ["user", None, None]
    assert known.refusal(ties_of_claims(person(USERS[1], epoch=1))) is None


def test_a_users_epoch_says_nothing_of_a_service_of_that_name_nor_a_clients_of_a_person() -> None:
    known = merged([UserEpoch("billing", 9, 5), ClientEpoch("web", 9, 5)])
    assert known.refusal(ties_of_claims(service("billing"))) is None
    assert known.refusal(ties_of_claims(person(USERS[0]))) is None


def test_a_deleted_client_ends_persons_tokens_too() -> None:
    known = merged([ClientEpoch("web", None, 5), ClientEpoch("web", 7, 9)])
    assert known.refusal(ties_of_claims(person(USERS[0]))) == "client"


def test_threat_10_a_role_that_was_given_later_is_not_in_a_token_from_before() -> None:
    known = merged([UserRoles("shop", USERS[0], frozenset({"admin", "clerk"}), 3, 5)])
    claims = person(USERS[0], roles=["clerk", "guest"])
    assert known.narrowed(identity_of(claims), claims, ties_of_claims(claims).user).roles == {"clerk"}


def test_roles_known_of_before_the_token_was_made_take_nothing_from_it() -> None:
    known = merged([UserRoles("shop", USERS[0], frozenset(), 2, 5)])
    claims = person(USERS[0], roles=["clerk"], roles_version=2)
    assert known.narrowed(identity_of(claims), claims, ties_of_claims(claims).user).roles == {"clerk"}


def test_a_retired_role_is_held_by_nobody_and_gives_nothing() -> None:
    clerk, admin = (RoleGives("shop", role, frozenset({f"{role}.do"}), retired=False, version=1) for role in ("clerk", "admin"))
    known = merged([clerk, admin, RoleGives("shop", "admin", frozenset(), retired=True, version=2)])
    claims = person(USERS[0], roles=["clerk", "admin"])
    narrowed = known.narrowed(identity_of(claims), claims, ties_of_claims(claims).user)
    assert (narrowed.roles, narrowed.permissions) == ({"clerk"}, {"clerk.do"})


def test_signals_for_another_audience_change_nothing() -> None:
    known = Revocations("shop")
    assert not known.merge(RoleGives("bank", "clerk", frozenset({"*"}), retired=False, version=9))
    assert not known.merge(UserRoles("bank", USERS[0], frozenset(), 9, None))


def pruned(known: Revocations, server_time: float) -> Revocations:
    for _ in range(65_536 // 256):
        known.prune(server_time)
    return known


def test_nothing_is_forgotten_while_a_leeway_could_still_let_its_token_in() -> None:
    known = merged([SessionEnded("s1", 100), UserEpoch(USERS[0], 3, 100), ClientEpoch("web", None, 100), KeyWithdrawn("kid1", 100)])
    assert len(pruned(known, 100 + LONGEST_LEEWAY)) == 4
    assert len(pruned(known, 101 + LONGEST_LEEWAY)) == 0


def test_what_has_no_end_is_never_forgotten() -> None:
    known = merged([SessionEnded("s1", None), RoleGives("shop", "clerk", frozenset(), retired=True, version=1)])
    assert len(pruned(known, 1e12)) == 2
