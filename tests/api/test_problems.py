from http import HTTPStatus

import api.app
from api.problems import STATUS, answer, problem
from api.refusals import Fault, ValidationFailed
from domain import errors
from domain.errors import Refused

assert api.app  # every module that defines a refusal is loaded by it


def every_refusal(kind: type[Refused] = Refused) -> set[type[Refused]]:
    """Those with a code of their own; the others only say what some have in common."""
    below = {sub for direct in kind.__subclasses__() for sub in {direct, *every_refusal(direct)}}
    return {sub for sub in below if "code" in vars(sub)}


def test_every_refusal_has_a_status() -> None:
    assert set(STATUS) == every_refusal()


def test_every_code_means_one_refusal() -> None:
    codes = [kind.code for kind in STATUS]
    assert len(codes) == len(set(codes))


def test_every_status_is_a_real_refusal() -> None:
    assert all(HTTPStatus(status) and 400 <= status < 600 for status in STATUS.values())


def test_a_problem_says_what_is_wrong_and_where() -> None:
    told = problem(ValidationFailed([Fault(pointer="/email", code="missing", detail="Required.")]))
    assert (told.status, told.code, told.errors) == (
        422,
        "validation_failed",
        (Fault(pointer="/email", code="missing", detail="Required."),),
    )


def test_a_refused_password_points_at_the_field_it_came_in() -> None:
    told = problem(errors.PasswordUnacceptable("too short"), password_pointer="/new_password")
    assert isinstance(told.errors, tuple)
    assert told.errors[0].pointer == "/new_password"


def test_every_unauthorised_answer_names_the_scheme() -> None:
    for kind, status in STATUS.items():
        if status == 401:
            assert b"www-authenticate" in dict(answer(kind()).headers), kind


def test_every_try_again_says_when() -> None:
    for kind, status in STATUS.items():
        if status in {429, 503}:
            assert b"retry-after" in dict(answer(kind()).headers), kind
