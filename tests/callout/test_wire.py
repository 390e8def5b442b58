"""What servers ask and are answered, byte for byte: whatever is not wholly a question to us is none."""

from collections.abc import Callable
from typing import Any

import pytest

from adapters.nats_callout import Callout, Unreadable
from adapters.nats_jwt import NotSigned, verified
from adapters.nats_keys import Kind, new_seed, public_key
from adapters.nats_rights import Rights, rights
from adapters.nats_xkey import CannotOpen, opened, sealed
from adapters.secret import Secret
from domain.ids import AudienceName, ClientId
from tests.callout.asking import Server

ISSUER, XKEY = new_seed(Kind.ACCOUNT), new_seed(Kind.CURVE)
SHOP = ClientId("client_shop")
SOME = Rights(("a",), ("b",))


@pytest.fixture
def callout() -> Callout:
    return Callout(Secret(ISSUER), Secret(XKEY))


@pytest.fixture
def server() -> Server:
    return Server(issuer=public_key(ISSUER), xkey=public_key(XKEY))


def test_a_question_is_read_and_the_token_hides(callout: Callout, server: Server) -> None:
    asked = callout.read(server.asks(server.claims(auth_token="secret token")), server.curve)
    assert (asked.server_id, asked.user_nkey, asked.server_key) == (server.id, server.user, server.curve)
    assert asked.token is not None
    assert asked.token.reveal() == "secret token"
    assert "secret token" not in repr(asked)


@pytest.mark.parametrize("beside", [{"user": "a"}, {"pass": "a"}, {"jwt": "a"}, {"nkey": "a"}], ids=str)
def test_a_token_beside_anything_else_is_none(callout: Callout, server: Server, beside: dict[str, str]) -> None:
    assert callout.read(server.asks(server.claims(auth_token="t", **beside)), server.curve).token is None
    assert callout.read(server.asks(server.claims(**beside)), server.curve).token is None


def _set(claims: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**claims, "nats": {**claims["nats"], **changes}}


FORGED: dict[str, Callable[[Server], bytes]] = {
    "in the clear": lambda s: s.asks(s.claims())[4:],
    "encrypted to another": lambda s: sealed(b"x", seed=new_seed(Kind.CURVE), to=public_key(new_seed(Kind.CURVE))),
    "encrypted by another": lambda s: sealed(b"x", seed=new_seed(Kind.CURVE), to=public_key(XKEY)),
    "cut short": lambda s: s.asks(s.claims())[:60],
    "empty": lambda s: b"",
    "a mark and nothing": lambda s: b"xkv1",
    "no JWT": lambda s: s.encrypted(b"{}"),
    "no text": lambda s: s.encrypted(b"\xff\xfe"),
    "too long": lambda s: s.asks(s.claims(auth_token="x" * 70_000)),
    "signed by a user": lambda s: s.asks(s.claims(), seed=new_seed(Kind.USER)),
    "signed by an account": lambda s: s.asks(s.claims(), seed=ISSUER),
    "signed by another server": lambda s: s.asks(s.claims(), seed=new_seed(Kind.SERVER)),
    "for somebody else": lambda s: s.asks({**s.claims(), "sub": public_key(new_seed(Kind.ACCOUNT))}),
    "of another kind": lambda s: s.asks(_set(s.claims(), type="authorization_response")),
    "of another audience": lambda s: s.asks({**s.claims(), "aud": "another"}),
    "of another curve key": lambda s: s.asks(_set(s.claims(), server_id={"id": s.id, "xkey": public_key(XKEY)})),
    "of an unencrypting server": lambda s: s.asks(_set(s.claims(), server_id={"id": s.id})),
    "about no user": lambda s: s.asks(_set(s.claims(), user_nkey=s.id)),
    "without a user": lambda s: s.asks({**s.claims(), "nats": {"type": "authorization_request"}}),
}


@pytest.mark.parametrize("forge", FORGED.values(), ids=list(FORGED))
def test_what_is_no_whole_question_is_not_answered(callout: Callout, server: Server, forge: Callable[[Server], bytes]) -> None:
    assert callout.read(server.asks(server.claims()), server.curve)
    with pytest.raises(Unreadable) as refused:
        callout.read(forge(server), server.curve)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    "key", ["", "X", "nothing", public_key(XKEY), public_key(ISSUER)], ids=["none", "short", "no key", "ours", "of an account"]
)
def test_a_question_that_came_with_another_key_is_not_answered(callout: Callout, server: Server, key: str) -> None:
    with pytest.raises(Unreadable):
        callout.read(server.asks(server.claims()), key)


def test_a_signature_of_other_bytes_is_none(server: Server) -> None:
    text = opened(server.asks(server.claims()), seed=XKEY, sender=server.curve).decode()
    head, body, tail = text.split(".")
    assert verified(text, Kind.SERVER)
    for bent in (
        f"{head}.{body}.{tail[:-4]}AAAA",
        f"{head}.{body}.",
        f"{head}..{tail}",
        f".{body}.{tail}",
        f"{head}.{body}{tail}",
        "..",
        "",
    ):
        with pytest.raises(NotSigned):
            verified(bent, Kind.SERVER)


def test_an_answer_says_what_may_be_done_and_until_when_and_only_the_server_reads_it(callout: Callout, server: Server) -> None:
    asked = callout.read(server.asks(server.claims()), server.curve)
    granted = rights(SHOP, access=True, audiences=[AudienceName("shop")])
    answer = callout.let_in(asked, name=SHOP, rights=granted, until=asked.asked_at + 7)
    said = server.hears(answer)
    assert (said["sub"], said["aud"]) == (server.user, server.id)
    user = said["nats"]["jwt"]
    assert (user["sub"], user["aud"], user["name"], user["exp"]) == (server.user, "DOWNSTREAM", SHOP, asked.asked_at + 7)
    assert user["nats"]["pub"] == {"allow": ["$JS.API.DIRECT.GET.SIG_ACCESS", "$JS.API.DIRECT.GET.SIG_ROLES_shop"]}
    assert user["nats"]["sub"] == {
        "allow": [
            "live.v1.access.>", "hint.v1.access.>", "live.v1.roles.shop.>", "live.v1.role_map.shop.>", "hint.v1.roles.shop.>",
            "_INBOX_client_shop.>",
        ]
    }  # fmt: skip
    assert "resp" not in user["nats"]
    with pytest.raises(CannotOpen):
        opened(answer, seed=new_seed(Kind.CURVE), sender=public_key(XKEY))


def test_a_refusal_says_the_same_to_everybody(callout: Callout, server: Server) -> None:
    asked = callout.read(server.asks(server.claims()), server.curve)
    assert server.hears(callout.refuse(asked))["nats"] == {"type": "authorization_response", "version": 2, "error": "not authorized"}


@pytest.mark.parametrize("none", [Rights((), ("a",)), Rights(("a",), ()), rights(SHOP, access=False, audiences=())])
def test_nobody_is_let_in_with_an_empty_list_which_bounds_nothing(callout: Callout, server: Server, none: Rights) -> None:
    asked = callout.read(server.asks(server.claims()), server.curve)
    assert callout.let_in(asked, name=SHOP, rights=SOME, until=asked.asked_at + 1)
    with pytest.raises(ValueError, match="bounds"):
        callout.let_in(asked, name=SHOP, rights=none, until=asked.asked_at + 1)
