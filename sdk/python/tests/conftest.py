"""What the tests of the feeds over HTTP share."""

from collections.abc import AsyncIterator

import pytest

from answering import Issuer
from minos_sdk.testing import Authority


@pytest.fixture
async def issuer(minos_authority: Authority) -> AsyncIterator[Issuer]:
    issuer = Issuer(minos_authority)
    yield issuer
    issuer.cut()
    await issuer.http.aclose()
