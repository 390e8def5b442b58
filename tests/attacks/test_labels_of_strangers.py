"""A method is any token (RFC 9110 9.1): each one made up would be one more line of the metrics for good."""

import httpx

from bench.running import Running

MADE_UP = [f"METHOD{number}" for number in range(40)]


async def test_made_up_methods_are_counted_as_one(running: Running, http: httpx.AsyncClient) -> None:
    for method in MADE_UP:
        for path in ("/api/v1/me", "/nowhere"):
            answer = await http.request(method, path)
            assert answer.status_code in {404, 405}
    async with httpx.AsyncClient() as other:
        shown = (await other.get(running.metrics_url)).text
    assert 'method="GET"' in shown
    assert 'method="(other)"' in shown
    assert not any(method in shown for method in MADE_UP)
