"""A process that was told to stop goes on answering, as not ready and for the last time on each connection."""

from tests.api.conftest import Served


async def test_who_leaves_is_not_ready_and_ends_each_connection_with_its_answer(served: Served) -> None:
    leaving = served.world.leaving
    assert "connection" not in (await served.http.get("/health/live")).headers
    leaving.set()
    try:
        ready = await served.http.get("/health/ready")
        assert (ready.status_code, ready.json()["status"], ready.json()["postgres"]) == (503, "unready", "up")
        lane = await served.http.post("/api/v1/auth/refresh", json={"refresh_token": "mrt_none"})
        route = await served.http.get("/api/v1/me")
        assert [answer.status_code for answer in (lane, route)] == [401, 401]
        assert [answer.headers["connection"] for answer in (ready, lane, route)] == ["close"] * 3
    finally:
        leaving.clear()
    assert (await served.http.get("/health/ready")).status_code == 200
