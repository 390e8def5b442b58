"""One spelling each."""

import unicodedata

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commands.login_names import LONGEST_EMAIL, guarded_name, normalise_email, normalise_username
from domain.claim import ClaimKind
from domain.errors import InvalidEmail, InvalidUsername

TEXT = st.text(max_size=80)
ADDRESSES = st.one_of(
    TEXT, st.builds("{}@{}".format, TEXT, st.one_of(TEXT, st.sampled_from(["example.org", "Bücher.example", "ExAmple.ORG"])))
)


@given(ADDRESSES)
def test_an_address_has_one_normal_form_or_is_refused(address: str) -> None:
    try:
        normal = normalise_email(address)
    except InvalidEmail:
        return
    assert normalise_email(normal) == normal
    assert len(normal.encode()) <= LONGEST_EMAIL
    if not address.rpartition("@")[2].isascii():
        return  # where a domain is spelled with ß or a final sigma, the capitals are another domain (RFC 5892)
    for spelling in (address.upper(), address.lower(), unicodedata.normalize("NFD", address), unicodedata.normalize("NFKC", address)):
        try:
            assert normalise_email(spelling) == normal or spelling.casefold() != address.casefold()
        except InvalidEmail:
            continue


LABELS = st.from_regex(r"(?:xn--)?[A-Za-z0-9-]{1,64}", fullmatch=True)


@given(st.lists(LABELS, min_size=2, max_size=6).map(".".join))
def test_a_plain_domain_is_what_idna_makes_of_it(domain: str) -> None:
    try:
        expected = idna.encode(domain, uts46=True).decode("ascii")
    except idna.IDNAError:
        with pytest.raises(InvalidEmail):
            normalise_email(f"ada@{domain}")
        return
    if expected.rpartition(".")[2].isdigit() or len(expected) > LONGEST_EMAIL - 4:
        return
    assert normalise_email(f"ada@{domain}") == f"ada@{expected}"


@given(TEXT)
def test_a_username_has_one_normal_form_or_is_refused(username: str) -> None:
    try:
        normal = normalise_username(username)
    except InvalidUsername:
        return
    assert normal.isascii()
    assert normalise_username(normal) == normal


@given(TEXT)
def test_any_text_at_all_can_be_counted_under(name: str) -> None:
    for kind in ClaimKind:
        assert guarded_name(kind, name)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "@",
        "a@",
        "@example.org",
        "a@b",
        "a b@example.org",
        "a@exa mple.org",
        ".a@example.org",
        "a.@example.org",
        "a..b@example.org",
        "=?utf-8?q?bob?=@example.org",
        "a@@example.org",
        "a@example..org",
        "a@-example.org",
        "a\n@example.org",
        "a@example.org\n",
        "a\x00@example.org",
        "ad\u200ba@example.org",
        "ad\u202ea@example.org",
        "a@192.0.2.1",
        "a@example.org.",
        "<a@example.org>",
        "a" * 65 + "@example.org",
        "a@" + "b" * 64 + ".org",
        "a@" + ".".join(["b" * 60] * 5) + ".org",
        "a@xn--a.org",
    ],
)
def test_what_no_mail_could_be_sent_to_is_no_address(address: str) -> None:
    with pytest.raises(InvalidEmail):
        normalise_email(address)


@pytest.mark.parametrize(
    ("address", "normal"),
    [
        ("Ada.Lovelace@Example.ORG", "ada.lovelace@example.org"),
        ("ada+tag@example.org", "ada+tag@example.org"),
        ("o'hara@example.org", "o'hara@example.org"),
        ("用户@例子.广告", "用户@xn--fsqu00a.xn--4rr70v"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("ΟΔΟΣ@example.org", "οδοσ@example.org"),
        ("οδος@example.org", "οδοσ@example.org"),
        ("\u0391\u0301\u0345@example.org", "\u03ac\u03b9@example.org"),
        ("\u03ac\u0345@example.org", "\u03ac\u03b9@example.org"),
    ],
)
def test_an_address_is_written_the_one_way(address: str, normal: str) -> None:
    assert normalise_email(address) == normal


@pytest.mark.parametrize("username", ["ab", "a" * 65, "-ada", ".ada", "ada lovelace", "adä", "аda", "ada\n", "ada@example.org"])
def test_what_is_no_username_is_refused(username: str) -> None:
    with pytest.raises(InvalidUsername):
        normalise_username(username)
