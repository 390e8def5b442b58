"""Service and SDK share one closed list of codes."""

import importlib
import pkgutil

import minos_sdk
from api.oauth_errors import NAMES
from api.problems import STATUS
from docs.generator.sdk_codes import OF_THE_SDK
from minos_sdk.codes import Code
from minos_sdk.errors import MinosError
from minos_sdk.testing import plugin


def test_every_code_of_the_service_is_one_of_the_sdk_and_there_are_few_others() -> None:
    of_the_service = {kind.code for kind in STATUS} | {name for _, name in NAMES.values()}
    assert {code.value for code in Code} == of_the_service | OF_THE_SDK.keys()


def test_what_the_sdk_refuses_with_is_in_the_list_under_its_status() -> None:
    for module in pkgutil.walk_packages(minos_sdk.__path__, "minos_sdk."):
        if module.name != plugin.__name__:
            importlib.import_module(module.name)
    statuses = {kind.code: status for kind, status in STATUS.items()} | {code: status for code, (status, _) in OF_THE_SDK.items()}
    kinds = _kinds(MinosError)
    assert {kind.code: kind.status for kind in kinds} == {kind.code: statuses[str(kind.code)] for kind in kinds}


def _kinds(root: type[MinosError]) -> set[type[MinosError]]:
    return {root}.union(*(_kinds(kind) for kind in root.__subclasses__()))
