"""Every type of event signals something or nothing, by decision and never by being forgotten."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from msgspec import UNSET
from msgspec.structs import replace

from domain import client, role, user
from domain.audience import AudienceChanged, AudienceDefined, AudienceRetired, Rules
from domain.client_events import ClientDeleted, ClientRegistered
from domain.codec import EVENT_TYPES
from domain.event import Event
from domain.ids import AudienceName, ClientId
from domain.machine_token import TokenRevoked
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.session_events import EndReason, RefreshReused, SessionRevoked, TokenIssued
from domain.signals.changes import NOTHING, SIGNALS, TAGS, changes
from domain.signals.facts import ClientFact, EventType, RoleMapFact, RolesFact, SessionFact, TokenFact, UserFact, class_of, subject_of
from domain.signals.lives import LONGEST_ACCESS, SLACK, life_in
from domain.signals.telling import GivenToken
from domain.signing_key import SigningKeyRevoked
from domain.user_events import PasswordSet, RoleRevoked, UserRegistered, UserReinstated, UserRestored, UserSuspended
from tests.domain.examples import ADA, EDITOR, NOTES, NOW, REPORTER, SESSION, TASKS
from tests.signals.told import KNOWN, LIFE, example, told


def test_every_type_of_event_signals_something_or_nothing() -> None:
    assert set(SIGNALS) | NOTHING == set(EVENT_TYPES.values())
    assert not set(SIGNALS) & NOTHING


def test_a_type_nobody_thought_about_stops_the_reader() -> None:
    class Unheard(Event, frozen=True, kw_only=True, tag="unheard.of.v1"):
        pass

    with pytest.raises(KeyError):
        changes(Unheard(at=NOW))


@pytest.mark.parametrize("event_type", list(SIGNALS))
def test_what_signals_says_something_of_each_example(event_type: type[Event]) -> None:
    if event_type is PasswordSet:
        assert told(replace(example(PasswordSet), token_epoch=2))
    else:
        assert told(example(event_type))


def test_a_first_password_revokes_nothing() -> None:
    assert example(PasswordSet).token_epoch == 1
    assert not told(example(PasswordSet))


@pytest.mark.parametrize("reason", EndReason)
def test_a_session_signals_its_end_whatever_ended_it(reason: EndReason) -> None:
    (signal,) = told(replace(example(SessionRevoked), reason=reason))
    assert signal.fact == SessionFact(id=SESSION, until=int(NOW.timestamp()) + 1 + LIFE + SLACK)
    assert signal.cause.type is EventType.SESSION_REVOKED
    assert signal.user_id == ADA


def test_reuse_of_a_refresh_token_signals_the_end_of_its_session() -> None:
    assert [signal.fact for signal in told(example(RefreshReused))] == [signal.fact for signal in told(example(SessionRevoked))]


def test_every_fact_of_a_user_carries_the_epoch_that_holds_now() -> None:
    for event_type in (UserSuspended, UserReinstated):
        (signal,) = told(example(event_type))
        assert isinstance(signal.fact, UserFact)
        assert signal.fact.epoch == 3


def test_who_is_restored_while_suspended_is_not_said_to_be_enabled() -> None:
    suspended = replace(KNOWN, users={ADA: user.decider.fold([example(UserRegistered), example(UserSuspended)])})
    assert told(example(UserRestored), suspended)[0].cause.type is EventType.ACCOUNT_DISABLED
    assert told(example(UserRestored))[0].cause.type is EventType.ACCOUNT_ENABLED


def test_roles_are_told_whole_and_to_every_audience_for_people() -> None:
    known = replace(KNOWN, told=frozenset({TASKS, NOTES}))
    facts = [signal.fact for signal in told(example(RoleRevoked), known)]
    assert [class_of(fact) for fact in facts] == ["roles.notes", "roles.tasks"]
    assert all(isinstance(fact, RolesFact) and fact.roles == ("editor", "user") and fact.version == 2 for fact in facts)


def test_a_role_gives_an_audience_no_more_than_its_catalogue_knows() -> None:
    (signal,) = told(example(RoleDefined))
    assert isinstance(signal.fact, RoleMapFact)
    assert signal.fact.permissions == ("tasks.read",)
    assert subject_of(signal.fact) == "role_map.tasks.editor"


def test_a_retired_role_is_told_as_retired_and_gives_nothing() -> None:
    known = replace(KNOWN, roles={EDITOR: role.decider.fold([example(RoleDefined), example(RoleRetired)])})
    (signal,) = told(example(RoleRetired), known)
    assert isinstance(signal.fact, RoleMapFact)
    assert (signal.fact.retired, signal.fact.permissions) == (True, ())


def test_a_new_audience_is_told_of_every_role() -> None:
    known = replace(
        KNOWN,
        roles={**KNOWN.roles, role.ADMIN: role.Defined(role=role.ADMIN, permissions=(Permission("*"),), description=None, definition=1)},
    )
    assert [subject_of(signal.fact) for signal in told(example(AudienceDefined), known)] == [
        "role_map.tasks.admin",
        "role_map.tasks.editor",
    ]


def test_an_audience_without_people_hears_nothing_of_roles() -> None:
    known = replace(KNOWN, told=frozenset[AudienceName]())
    for event_type in (AudienceDefined, AudienceChanged, RoleDefined, RolePermissionsChanged, RoleRevoked):
        assert not told(example(event_type), known)


@pytest.mark.parametrize("event_type", [AudienceChanged, AudienceRetired])
def test_an_audience_s_new_rules_tell_of_each_token_that_they_refuse(event_type: type[Event]) -> None:
    """By the rules that the event says, whatever they are by now."""
    token = GivenToken(
        token_id=example(TokenRevoked).token_id,
        client_id=REPORTER,
        audience=TASKS,
        permissions=(Permission("tasks.read"),),
        expires_at=NOW + timedelta(days=90),
    )
    event = example(event_type)
    if isinstance(event, AudienceChanged):
        event = replace(event, rules=Rules(clients=(ClientId("client_other"),)))
    known = replace(KNOWN, given=(token, replace(token, audience=NOTES)))
    [dead] = [signal.fact for signal in told(event, known) if isinstance(signal.fact, TokenFact)]
    assert (dead.id, dead.until) == (token.token_id, int(token.expires_at.timestamp()) + 1 + SLACK)


def test_a_deleted_client_is_gone_for_ever() -> None:
    known = replace(KNOWN, clients={REPORTER: client.decider.fold([example(ClientRegistered), example(ClientDeleted)])})
    (signal,) = told(example(ClientDeleted), known)
    assert isinstance(signal.fact, ClientFact)
    assert signal.fact.epoch is UNSET


def test_a_token_s_own_end_bounds_what_is_told_of_it() -> None:
    (signal,) = told(example(TokenRevoked))
    assert isinstance(signal.fact, TokenFact)
    assert signal.fact.until == int(example(TokenRevoked).expires_at.timestamp()) + 1 + SLACK


def test_a_withdrawn_key_is_remembered_as_long_as_anything_it_may_have_signed() -> None:
    (signal,) = told(example(SigningKeyRevoked))
    assert getattr(signal.fact, "until", 0) > (NOW + timedelta(days=90)).timestamp()


@dataclass(frozen=True)
class Life:
    event: Event
    seconds: int


@pytest.mark.parametrize(
    "life",
    [
        Life(example(TokenIssued), 300),
        Life(replace(example(TokenIssued), access_expires_at=NOW + timedelta(days=1)), LONGEST_ACCESS),
        Life(example(AudienceChanged), 120),
        Life(replace(example(AudienceDefined), rules=Rules()), 0),
        Life(example(SessionRevoked), 0),
    ],
    ids=lambda life: f"{type(life.event).__name__} {life.seconds}",
)
def test_events_show_the_lives_of_access_tokens(life: Life) -> None:
    assert life_in(life.event) == life.seconds


def test_tags_of_what_signals_are_known_without_decoding() -> None:
    assert "session.revoked.v1" in TAGS
    assert "session.token_issued.v1" not in TAGS
