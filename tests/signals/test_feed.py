"""What happens reaches a subscriber, and the stream is what the table is."""

from tests.signals.conftest import Feed
from tests.signals.subscriber import until


async def test_a_revoked_session_reaches_a_subscriber(feed: Feed) -> None:
    signaller, subscriber = feed.signaller(), feed.subscriber()
    await feed.tell(signaller)
    await subscriber.start()
    ada = await feed.author.user()
    session = await feed.author.session(ada)
    await feed.author.revoke(session, ada)
    await feed.tell(signaller)
    await until(subscriber, lambda: f"session:{session}" in subscriber.facts)
    assert subscriber.holes == 0
