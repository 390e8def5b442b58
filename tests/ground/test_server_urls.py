"""One setting may name several servers."""

import pytest

from adapters.server_urls import each


@pytest.mark.parametrize(
    ("url", "servers"),
    [
        ("nats://a:4222", ("nats://a:4222",)),
        ("nats://a:4222,b:4222", ("nats://a:4222", "nats://b:4222")),
        ("nats://u:p@a:1,nats://u:p@b:2", ("nats://u:p@a:1", "nats://u:p@b:2")),
        ("postgresql://r:s@a:1,b:2/minos?sslmode=require", ("postgresql://r:s@a:1/minos?sslmode=require", "postgresql://r:s@b:2/minos?sslmode=require")),
        ("postgresql://r:s,t@a/minos", ("postgresql://r:s,t@a/minos",)),
        ("postgresql://r:s@/minos?host=/run/postgres", ("postgresql://r:s@/minos?host=/run/postgres",)),
        ("postgresql://[::1]:1,[::2]:2/minos", ("postgresql://[::1]:1/minos", "postgresql://[::2]:2/minos")),
        ("no url", ("no url",)),
    ],
)  # fmt: skip
def test_each_server_has_a_url_of_its_own(url: str, servers: tuple[str, ...]) -> None:
    assert each(url) == servers
