"""Whoever has an account, or a copy of a session, writes events that stay for ever, as large as they may be, and has mails sent."""

from adapters.limits.policy import Kind
from adapters.limits.policy_file import load
from api.policy import POLICY, Needs

A_DAY = 86_400
MOST_A_DAY = 30_000
"""Of one person's own changes; 12 KB each at the largest is no more than some hundred megabytes."""
WRITES_NOTHING = {"makeActionToken", "checkPermissions"}
MAKES_ROOM = {"endMySession", "endMyOtherSessions", "removeMyFactor", "revokeMyApiKey", "withdrawErasure"}
"""What undoes a thief's work is limited by the minute alone, and each ends something that took longer to make."""


def test_what_people_write_of_their_own_has_a_limit_by_the_hour() -> None:
    limits = load(None)
    for operation, access in POLICY.items():
        reads = operation.startswith(("read", "list", "export"))
        if access.needs is not Needs.CALLER or reads or operation in WRITES_NOTHING | MAKES_ROOM:
            continue
        rates = limits.of(operation).rates
        own = [*rates.get(Kind.ACCOUNT, ()), *rates.get(Kind.SESSION, ())]
        assert min(rate.amount * A_DAY // rate.seconds for rate in own) <= MOST_A_DAY, operation
