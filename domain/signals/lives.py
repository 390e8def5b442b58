"""How long a signal has to be remembered: until the last credential it could cover has ended (threats.md 8)."""

import math
from datetime import datetime

from domain.audience import AudienceChanged, AudienceDefined
from domain.event import Event
from domain.session_events import TokenIssued

LONGEST_ACCESS = 3_600
"""Seconds: no access token of a person lives longer, whatever is set."""
LONGEST_SERVICE = 90 * 86_400
"""Seconds: no token of a machine, and nothing else a signing key signs, lives longer."""
SLACK = 60
"""Seconds on top: other machines' clocks, and what was decided on before the revocation and signed after it."""
PURGED = 30 * 86_400
"""Seconds that it is told of somebody that they were erased: so long may a service be away and hear of it all the same."""
API_KEY = 120
"""Seconds that an answer about an API key is remembered anywhere, and as long again."""


def life_in(event: Event) -> int:
    """Give the life of access tokens that an event shows to be in force, in seconds; 0 where it shows none."""
    match event:
        case TokenIssued():
            life = math.ceil((event.access_expires_at - event.at).total_seconds())
        case AudienceDefined() | AudienceChanged():
            life = event.rules.access_token_ttl or 0
        case _:
            return 0
    return min(life, LONGEST_ACCESS)


def ends_at(at: datetime, life: int) -> int:
    """Give when a fact of that moment can be forgotten, where what it covers lives so many seconds."""
    return math.ceil(at.timestamp()) + life + SLACK
