from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from minos_sdk.compact_table import CompactTable
from minos_sdk.facts import compact

FEW_KEYS = st.integers(0, 40).map(lambda n: bytes([n % 3]) * 14 + bytes([0, n % 2])) | st.binary(min_size=17, max_size=18)


@given(st.lists(st.tuples(FEW_KEYS, st.integers(0, 2**64 - 1))))
def test_the_table_holds_what_a_dict_would(puts: list[tuple[bytes, int]]) -> None:
    table, model = CompactTable(8), dict[bytes, bytes]()
    for key, number in puts:
        table.put(key, number.to_bytes(8, "big"))
        model[key] = number.to_bytes(8, "big")
    assert {key: table.get(key) for key in model} == model
    assert len(table) == len(model)
    assert table.get(uuid4().bytes) is None


def test_bytes_that_only_look_like_a_key_are_none() -> None:
    """The end of a key and its value read like a key of the same bucket."""
    table = CompactTable(8)
    table.put(bytes(16), b"\x01" * 6 + bytes(2))
    looks_like = bytes(8) + b"\x01" * 6 + bytes(2)
    assert table.get(looks_like) is None
    table.put(looks_like, b"\x02" * 8)
    assert table.get(looks_like) == b"\x02" * 8
    assert table.get(bytes(16)) == b"\x01" * 6 + bytes(2)
    assert len(table) == 2


@given(st.sets(st.integers(0, 99)), st.integers(0, 99))
def test_pruning_drops_what_is_over_and_nothing_else(numbers: set[int], over: int) -> None:
    table = CompactTable(8)
    keys = {number: (UUID(int=number * 7919).bytes if number % 2 else b"%017d" % number) for number in numbers}
    for number, key in keys.items():
        table.put(key, number.to_bytes(8, "big"))
    first = 0
    while (first := table.prune(lambda value: int.from_bytes(value, "big") < over, first=first, buckets=9_999)) != 0:
        pass
    assert {number for number, key in keys.items() if table.get(key) is not None} == {number for number in numbers if number >= over}
    assert len(table) == len([number for number in numbers if number >= over])


def test_ids_that_are_no_uuids_are_never_taken_for_one() -> None:
    name = str(uuid4())
    assert compact(name) == UUID(name).bytes
    assert len({compact(each) for each in (name, name.upper(), name.replace("-", ""), "{" + name + "}", "billing", name + "\n")}) == 6
    assert all(len(compact(each)) > 16 for each in (name.upper(), "sixteen-letters-", ""))
