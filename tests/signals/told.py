"""What is told of the golden examples' events: heads are as a few of them make them."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypeVar

from domain import audience, client, role, user
from domain.audience import AudienceChanged, AudienceDefined
from domain.client_events import ClientRegistered, ClientTokensRevoked
from domain.event import Event
from domain.role import RoleDefined
from domain.signals.changes import changes
from domain.signals.facts import Signal
from domain.signals.telling import Known, tell
from domain.user_events import RoleGranted, SignedOutEverywhere, UserRegistered
from tests.domain.examples import ADA, EDITOR, NOW, REPORTER, TASKS
from tests.golden.examples import EXAMPLES

E = TypeVar("E", bound=Event)

VERSION = 1 << 40 | 7
LIFE = 300


def example(event_type: type[E]) -> E:
    return next(event for event in EXAMPLES if isinstance(event, event_type))


KNOWN = Known(
    users={ADA: user.decider.fold([example(UserRegistered), example(RoleGranted), example(SignedOutEverywhere)])},
    clients={REPORTER: client.decider.fold([example(ClientRegistered), example(ClientTokensRevoked)])},
    roles={EDITOR: role.decider.fold([example(RoleDefined)])},
    audiences={TASKS: audience.decider.fold([example(AudienceDefined), example(AudienceChanged)])},
    told=frozenset({TASKS}),
)


def told(event: Event, known: Known = KNOWN, at: datetime = NOW) -> Sequence[Signal]:
    return [signal for change in changes(event) for signal in tell(change, known, at=at, life=LIFE, version=VERSION)]
