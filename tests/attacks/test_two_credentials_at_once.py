"""One credential is judged, and something else looks at the other: so nothing of ours takes two, by whatever method, at any address."""

import pytest

from tests.api.conftest import Person, Served
from tests.api.test_access import ALL

BEARER, KEY = ("authorization", "Bearer x"), ("x-api-key", "mk_x")
PAIRS = ([BEARER, KEY], [KEY, BEARER], [BEARER, BEARER], [KEY, KEY], [BEARER, ("Authorization", "Basic eDp5")])


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: "+".join(name for name, _ in pair))
async def test_no_operation_takes_two_credentials(served: Served, pair: list[tuple[str, str]]) -> None:
    for route in ALL:
        answer = await served.http.request(route.method, route.at(), headers=pair)
        expected = {"error": "invalid_request"} if route.path.startswith("/oauth2/") else {"code": "ambiguous_credentials"}
        assert answer.status_code == 400, (route.operation, answer.text)
        assert expected.items() <= answer.json().items(), route.operation


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE"])
async def test_no_method_does_either_not_even_where_there_is_nothing(served: Served, method: str) -> None:
    for path in ("/api/v1/me", "/api/v1/nowhere", "/", "/health/live"):
        assert (await served.http.request(method, path, headers=[BEARER, KEY])).status_code == 400


@pytest.mark.parametrize("name", ["access_token", "api_key", "token", "authorization"])
async def test_a_second_credential_in_the_address_is_refused_and_a_first_one_is_none(served: Served, admin: Person, name: str) -> None:
    for path in ("/api/v1/me", "/api/v1/auth/check", "/api/v1/auth/session"):
        query = {name: admin.access} | ({"audience": "minos"} if path.endswith("check") else {})
        both = await served.http.get(path, params=query, headers={"Authorization": f"Bearer {admin.access}"})
        assert both.status_code == 422, path
        assert (await served.http.get(path, params=query)).status_code in {401, 422}
