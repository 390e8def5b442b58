"""What a killed database leaves of the sign-in counters (threats.md 16)."""

from adapters.embedded_postgres import PostgresServer
from adapters.guard import PostgresGuard
from adapters.postgres_links import Links
from commands.ports import GuardReading
from domain.errors import StoreUnavailable
from domain.sign_in_guard import DELAY_AFTER
from tests.conftest import database_of

ADA = b"mac of ada's name"


async def test_threat_16_a_crash_empties_the_counters_and_the_readings_say_so(durable_server: PostgresServer) -> None:
    links = Links(database_of(durable_server).app_url, size=1)
    guard = PostgresGuard(links)
    before = [await guard.admit(ADA, device_mac=None) for _ in range(DELAY_AFTER)][-1]
    await durable_server.kill()
    await durable_server.start()
    after = await _admit_again(guard)
    await guard.seed(ADA, DELAY_AFTER)
    seeded = await guard.admit(ADA, device_mac=None)
    await links.close()
    assert after.failures == 1
    assert before.counting_since is not None
    assert after.counting_since is not None
    assert before.counting_since < after.counting_since <= after.at
    assert seeded.lock_began


async def _admit_again(guard: PostgresGuard) -> GuardReading:
    try:
        return await guard.admit(ADA, device_mac=None)
    except StoreUnavailable:  # the connection died with the server; the next call opens another
        return await guard.admit(ADA, device_mac=None)
