"""Logs that a test writes: small trees with a key, which also do what no honest log does."""

from collections.abc import Sequence
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from domain.tree.checkpoint import Checkpoint
from domain.tree.edge import Edge
from domain.tree.hashing import leaf_hash
from domain.tree.note import ED25519, Signature, VerifierKey, write_note
from domain.tree.proofs import consistency_spans
from domain.tree.submission import write_submission


class TestLog:
    """`of` says what its entries are: two logs with one key and other entries are a fork."""

    __test__ = False

    def __init__(self, origin: str = "example.com/log", of: str = "one", common: int = 0) -> None:
        self._private = Ed25519PrivateKey.from_private_bytes(sha256(origin.encode()).digest())
        self.key = VerifierKey(name=origin, kind=ED25519, public=self._private.public_key().public_bytes_raw())
        self._of, self._common = of, common

    def leaves(self, start: int, end: int) -> list[bytes]:
        return [leaf_hash(f"{'' if n < self._common else self._of} {n}".encode()) for n in range(start, end)]

    def root(self, start: int, end: int) -> bytes:
        edge = Edge()
        for _ in edge.add(self.leaves(start, end)):
            pass
        return edge.root()

    def note(self, size: int, *, root: bytes | None = None) -> str:
        text = Checkpoint(origin=self.key.name, size=size, root=root or self.root(0, size)).text()
        return write_note(text, [Signature(by=self.key.key_name, value=self._private.sign(text.encode()))])

    def proof(self, first: int, second: int) -> Sequence[bytes]:
        return [self.root(start, end) for start, end in consistency_spans(first, second)]

    def submission(self, old: int, size: int) -> bytes:
        """Proves what it can: from an old size beyond its own, nothing."""
        return write_submission(old, self.proof(old, size) if old <= size else [], self.note(size))

    @property
    def line(self) -> str:
        return f"log {self.key.line()}\n"
