"""A service comes to NATS with the access token that Minos gave it, and reads its signals."""

from adapters.nats_client import settled
from tests.callout.conftest import Authority, Enter


async def test_a_service_reads_what_is_kept_and_hears_what_comes(authority: Authority, enter: Enter) -> None:
    js = authority.minos.jetstream()
    await js.publish("sig.v1.access.user.1", b"kept")
    shop = await authority.service("minos.signals.access")
    entered = await enter(name=shop, token=await authority.token(shop))
    for subject in ("live.v1.access.>", "hint.v1.access.>", f"_INBOX_{shop}.read"):
        await entered.subscribe(subject)
    await entered.client.publish("$JS.API.DIRECT.GET.SIG_ACCESS", b'{"seq":1,"batch":10}', reply=f"_INBOX_{shop}.read")
    await entered.settled()
    await authority.minos.publish("live.v1.access.user.1", b"live")
    await authority.minos.publish("hint.v1.access.user.1", b"hint")
    await settled(authority.minos)
    await entered.settled()
    assert entered.errors == []
    assert (f"_INBOX_{shop}.read", b"kept") in entered.got
    assert {("live.v1.access.user.1", b"live"), ("hint.v1.access.user.1", b"hint")} <= set(entered.got)
