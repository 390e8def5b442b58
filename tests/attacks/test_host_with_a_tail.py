"""What follows an allowed name must be a port: `127.0.0.1:80@evil.example` names another host to whoever reads it as a URL."""

import pytest

from api.incoming import HostList
from api.refusals import HostNotAllowed

HOSTS = HostList(["127.0.0.1", "[::1]", "*.minos.example"])


@pytest.mark.parametrize(
    "host",
    [
        b"127.0.0.1:80@evil.example", b"127.0.0.1:", b"127.0.0.1:http", b"127.0.0.1:123456", b"127.0.0.1:80:80", b"[::1]evil.example",
        b"[::1].minos.example", b"evil.example/.minos.example", b"evil.example#a.minos.example", b"a@b.minos.example", b"", b":80",
        b"127.0.0.1 ", b"127.0.0.1\x00",
    ],
)  # fmt: skip
def test_a_host_that_goes_on_is_not_answered(host: bytes) -> None:
    with pytest.raises(HostNotAllowed):
        HOSTS.check(host)


@pytest.mark.parametrize("host", [b"127.0.0.1", b"127.0.0.1:8000", b"[::1]", b"[::1]:8000", b"Login.Minos.Example:443"])
def test_a_host_with_a_port_is(host: bytes) -> None:
    HOSTS.check(host)
