"""Passwords before they are anybody's."""

from litestar import Controller, post
from litestar.params import JSONBody

from api.asking import Asking
from api.refuse import refuses
from commands.judge_password import Judgement, JudgePassword, judge_password
from domain import errors


class Passwords(Controller):
    path = "/api/v1/auth/password"
    tags = ("accounts",)

    @post(
        "/strength",
        operation_id="judgePassword",
        status_code=200,
        summary="How good is this password?",
        description=(
            "For the page on which one is typed: whether a new account could have it, and what to do better. Nothing is kept. "
            "The names are what it should not contain; earlier passwords of an account are not asked about here."
        ),
        responses=refuses(errors.Overloaded),
    )
    async def judge(self, request: Asking, data: JSONBody[JudgePassword]) -> Judgement:
        return await judge_password(data, request.context(), request.world.ports)
