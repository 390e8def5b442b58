"""Whose word makes a checkpoint valid (C2SP tlog-policy)."""

import contextlib
from itertools import combinations

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from adapters.note_keys import WitnessKey, verifies
from domain.tree.checkpoint import Checkpoint
from domain.tree.cosignature import Forged
from domain.tree.note import ED25519, Note, Signature, VerifierKey, read_note, write_note
from domain.tree.policy import NotValid, judge
from domain.tree.policy_file import BadPolicy, read_policy

WITNESSES = {name: WitnessKey(f"example.org/{name}", Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32))
             for n, name in enumerate(("X1", "X2", "X3", "Y1", "Y2", "Y3"))}  # fmt: skip
LOG_KEY = Ed25519PrivateKey.from_private_bytes(bytes([9]) * 32)
LOG = VerifierKey(name="example.com/log", kind=ED25519, public=LOG_KEY.public_key().public_bytes_raw())
TEXT = Checkpoint(origin=LOG.name, size=7, root=bytes(32)).text()

EXAMPLE = (
    f"# of the specification\n\nlog {LOG.line()}\n"
    + "".join(f"witness {name} {key.public.line()} https://{name}.example.org/\n" for name, key in WITNESSES.items())
    + "group X-witnesses 2 X1 X2 X3\n\tgroup Y-witnesses  any Y1 Y2 Y3 \n"
    + "group X-and-Y all X-witnesses Y-witnesses\nquorum X-and-Y\n"
).encode()


def signed(*witnesses: str, text: str = TEXT) -> Note:
    of_log = Signature(by=LOG.key_name, value=LOG_KEY.sign(text.encode()))
    return Note(text=text, signatures=(of_log, *(WITNESSES[name].cosign(text, at=1000) for name in witnesses)))


def test_the_example_of_the_specification_is_met_by_exactly_whom_it_says() -> None:
    policy = read_policy(EXAMPLE)
    everybody = list(WITNESSES)
    for count in range(len(everybody) + 1):
        for some in combinations(everybody, count):
            enough = sum(name[0] == "X" for name in some) >= 2 and any(name[0] == "Y" for name in some)
            assert policy.is_met(some) == enough


def test_a_checkpoint_is_valid_once_its_log_and_the_quorum_signed_it() -> None:
    policy = read_policy(EXAMPLE)
    judged = judge(policy, signed("X1", "X3", "Y2"), verifies)
    assert judged.checkpoint.size == 7
    assert judged.witnesses == {"X1": 1000, "X3": 1000, "Y2": 1000}
    with pytest.raises(NotValid, match="quorum X-and-Y is not met by X1, X3"):
        judge(policy, signed("X1", "X3"), verifies)


def test_a_log_that_is_not_listed_is_not_believed_whoever_cosigned() -> None:
    policy = read_policy(EXAMPLE.replace(b"log ", b"# log "))
    note = signed(*WITNESSES)
    with pytest.raises(NotValid, match="no log that is known"):
        judge(policy, note, verifies)
    assert judge(policy, note, verifies, logs=[LOG]).checkpoint.origin == LOG.name
    other = signed(*WITNESSES, text=TEXT.replace("example.com", "example.net"))
    with pytest.raises(NotValid, match="no log that is known"):
        judge(policy, other, verifies, logs=[LOG])


def test_a_signature_in_anothers_name_spoils_a_checkpoint_that_would_be_valid_without_it() -> None:
    good = signed(*WITNESSES)
    forged = Signature(by=WITNESSES["X2"].public.key_name, value=bytes(72))
    note = Note(text=good.text, signatures=(*good.signatures[:2], *good.signatures[3:], forged))
    with pytest.raises(Forged):
        judge(read_policy(EXAMPLE), note, verifies)


def test_lines_of_strangers_count_for_nothing() -> None:
    strangers = tuple(WitnessKey.new(key.public.name).cosign(TEXT, at=1) for key in WITNESSES.values())
    note = Note(text=TEXT, signatures=(*signed().signatures, *strangers))
    with pytest.raises(NotValid, match="met by nobody"):
        judge(read_policy(EXAMPLE), note, verifies)
    assert judge(read_policy(b"quorum none\n"), note, verifies, logs=[LOG]).witnesses == {}


@given(least=st.integers(1, 6), some=st.sets(st.sampled_from(list(WITNESSES))))
def test_a_group_is_met_by_so_many_of_its_members(least: int, some: set[str]) -> None:
    lines = "".join(f"witness {name} {key.public.line()}\n" for name, key in WITNESSES.items())
    policy = read_policy(f"{lines}group all {least} {' '.join(WITNESSES)}\nquorum all\n".encode())
    assert policy.is_met(some) == (len(some) >= least)


def test_another_witness_never_unmakes_a_quorum() -> None:
    policy = read_policy(EXAMPLE)
    for some in combinations(WITNESSES, 4):
        if policy.is_met(some):
            assert all(policy.is_met({*some, other}) for other in WITNESSES)


def test_names_are_octets_and_a_kelvin_sign_is_no_k() -> None:
    one, other = (WITNESSES[name].public.line() for name in ("X1", "X2"))
    policy = read_policy(f"witness K {one}\nwitness \N{KELVIN SIGN} {other}\ngroup g all K \N{KELVIN SIGN}\nquorum g\n".encode())
    assert not policy.is_met(["K"])
    latin = f"witness \xff {one}\nquorum \xff\n".encode("latin-1")
    assert read_policy(latin).witnesses[0].name == "\udcff"


ONE = WITNESSES["X1"].public.line()
SAME_KEY = VerifierKey(name="other", kind=4, public=WITNESSES["X1"].public.public).line()
OTHER = WITNESSES["X2"].public.line()


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("", "needs a line `quorum"),
        ("quorum none", "does not end"),
        ("quorum none\nquorum none\n", "line 2: the quorum is said already"),
        ("quorum w\n", "line 1: 'w' is no witness"),
        ("quorum\n", "line 1: 'quorum' is none of"),
        ("quorum none none\n", "is none of"),
        ("quorum none\r\n", "line 1: the only control character"),
        ("quorum none # why\n", "is none of"),
        ("quorum\x0bnone\n", "only control character"),
        (f"witness none {ONE}\nquorum none\n", "line 1: the name 'none' is taken"),
        (f"witness w {ONE}\nwitness w {OTHER}\nquorum w\n", "line 2: the name 'w' is taken"),
        (f"witness w {ONE}\nwitness v {SAME_KEY}\nquorum w\n", "line 2: this is the key of 'w'"),
        (f"witness w {ONE}\ngroup w all w\nquorum w\n", "line 2: the name 'w' is taken"),
        (f"witness w {LOG.line()}\nquorum w\n", "line 1: 'example.com/log' needs an Ed25519 key of kind 4"),
        (f"log {ONE}\nquorum none\n", "line 1: 'example.org/X1' needs an Ed25519 key of kind 1"),
        (f"log {LOG.line()}\nlog {LOG.line()} https://example.com\nquorum none\n", "line 2: this is the key of"),
        (f"log {LOG.line()} https://a https://b\nquorum none\n", "line 1: .* is none of"),
        ("witness w w+00000000+AAAA\nquorum w\n", "line 1: the id of the key"),
        (f"witness w {ONE}\ngroup g any v\nquorum g\n", "line 2: 'v' is no witness"),
        (f"witness w {ONE}\ngroup g any none\nquorum g\n", "line 2: 'none' is no witness"),
        (f"witness w {ONE}\ngroup g any g\nquorum g\n", "line 2: 'g' is no witness"),
        (f"witness w {ONE}\ngroup g any\nquorum g\n", "line 2: .* is none of"),
        (f"witness w {ONE}\ngroup g any w w\nquorum g\n", "line 2: 'w' is a member already"),
        (f"witness w {ONE}\ngroup g any w\ngroup h any w\nquorum g\n", "line 3: 'w' is a member already"),
        (f"witness w {ONE}\ngroup g 2 w\nquorum g\n", "line 2: '2' is none of: all, any, a number from 1 to 1"),
        (f"witness w {ONE}\ngroup g 0 w\nquorum g\n", "line 2: '0' is none of"),
        (f"witness w {ONE}\ngroup g 01 w\nquorum g\n", "line 2: '01' is none of"),
        (f"witness w {ONE}\ngroup g most w\nquorum g\n", "line 2: 'most' is none of"),
    ],
)  # fmt: skip
def test_each_rule_of_the_syntax_is_said_in_its_own_words(policy: str, words: str) -> None:
    with pytest.raises(BadPolicy, match=words):
        read_policy(policy.encode())


@given(raw=st.binary(max_size=200))
def test_whatever_a_file_holds_it_is_a_policy_or_is_said_not_to_be_one(raw: bytes) -> None:
    with contextlib.suppress(BadPolicy):
        read_policy(raw + b"\nquorum none\n")


def test_a_note_that_was_read_back_is_judged_alike() -> None:
    note = signed("X1", "X2", "Y1")
    assert judge(read_policy(EXAMPLE), read_note(write_note(note.text, note.signatures)), verifies).witnesses.keys() == {"X1", "X2", "Y1"}
