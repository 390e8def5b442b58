"""A filter in front of us reads the first `email` of a body and lets it pass; we must not act on the second."""

from time import thread_time

import pytest

from api.bodies import decode
from api.incoming import BODY_LIMIT
from api.refusals import NameRepeated, ValidationFailed
from commands.define_role import DefineRole
from tests.api.conftest import PASSWORD, Served

LOGIN, REFRESH = "/api/v1/auth/login", "/api/v1/auth/refresh"
ORDINARY = {"If-None-Match": '"another"'}
"""A condition, which the express lane leaves to the ordinary routes."""
MOST_SECONDS = 0.5
"""Of processor time. A whole body is looked through in some two milliseconds; what takes quadratic time takes many times as long."""


@pytest.mark.parametrize("name", ["email", "\\u0065mail", "e\\u006D\\u0061il"])
async def test_the_second_address_signs_nobody_in(served: Served, name: str) -> None:
    person = await served.person(sign_in=False)
    body = f'{{"email":"harmless@example.org","{name}":"{person.email}","password":"{PASSWORD}"}}'
    answer = await served.http.post(LOGIN, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (400, "name_repeated")


@pytest.mark.parametrize("lane", [{}, ORDINARY], ids=["express", "ordinary"])
@pytest.mark.parametrize("name", ["refresh_token", "refresh\\u005ftoken"])
async def test_the_second_refresh_token_is_not_taken(served: Served, lane: dict[str, str], name: str) -> None:
    person = await served.person()
    body = f'{{"refresh_token":"mrt_x","{name}":"{person.refresh}"}}'
    answer = await served.http.post(REFRESH, content=body, headers={"Content-Type": "application/json"} | lane)
    assert (answer.status_code, answer.json()["code"]) == (400, "name_repeated")
    assert (await served.http.post(REFRESH, json={"refresh_token": person.refresh})).status_code == 200


@pytest.mark.parametrize("inner", [b'{"a":1,"a":1}', b'[[{"b":[]},{"a":{},"\\u0061":{}}]]', b'{"a":{"a":{"b":0,"b":1}}}'])
def test_a_name_is_not_repeated_out_of_sight(inner: bytes) -> None:
    with pytest.raises(NameRepeated):
        decode(b'{"name":"clerk","permissions":' + inner + b"}", DefineRole)


@pytest.mark.parametrize(
    ("unit", "end"),
    [(b"{},", b"{}]}"), (b'{"":0},', b"0]}"), (b"[],", b"0]}"), (b"0,", b"0]}"), (b"9", b"]}"), (b'"\\u0061",', b"0]}"), (b" ", b"0]}")],
)
def test_looking_for_repeated_names_takes_no_time_worth_taking(unit: bytes, end: bytes) -> None:
    begin = b'{"name":"clerk","permissions":['
    body = begin + unit * ((BODY_LIMIT - len(begin) - len(end)) // len(unit)) + end
    began = thread_time()
    with pytest.raises(ValidationFailed):
        decode(body, DefineRole)
    assert thread_time() - began < MOST_SECONDS


def test_many_names_are_compared_in_linear_time() -> None:
    names = b",".join(b'"%d":0' % number for number in range(6_000))
    began = thread_time()
    with pytest.raises(NameRepeated):
        decode(b"{" + names + b',"5999":0}', DefineRole)
    assert thread_time() - began < MOST_SECONDS
