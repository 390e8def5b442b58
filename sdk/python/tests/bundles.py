"""Bundles written from the pages on the format, the slow and plain way: no code of what reads them is used."""

import json
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "auth.example.com/log"
UUID = "0192f0c1-0000-7000-8000-0000000eeee1"


def entry(stream: str, version: int, kind: str = "user.reinstated.v1", **payload: Any) -> bytes:
    said = {
        "actor": "system:cli", "causation": None, "command": UUID, "correlation": UUID, "event_id": UUID, "key_id": None,
        "payload": payload | {"type": kind}, "recorded_at": 1_795_000_000_000_000, "session": None, "stream": stream, "type": kind,
        "v": 1, "version": version,
    }  # fmt: skip
    return json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def history(entries: int, streams: int = 7) -> list[bytes]:
    """Events of a few streams in turn."""
    return [entry(f"user-{n % streams}", n // streams + 1, number=n) for n in range(entries)]


@cache
def root(hashes: tuple[bytes, ...]) -> bytes:
    """RFC 6962, 2.1, by the letter."""
    if len(hashes) < 2:
        return hashes[0] if hashes else sha256(b"").digest()
    half = 1 << (len(hashes) - 1).bit_length() - 1
    return sha256(b"\x01" + root(hashes[:half]) + root(hashes[half:])).digest()


def hashes_of(entries: Sequence[bytes]) -> tuple[bytes, ...]:
    return tuple(sha256(b"\x00" + each).digest() for each in entries)


@dataclass
class Signer:
    origin: str = ORIGIN
    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)

    @property
    def material(self) -> bytes:
        return b"\x01" + self.key.public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        return sha256(self.origin.encode() + b"\n" + self.material).digest()[:4]

    @property
    def line(self) -> str:
        return f"{self.origin}+{self.key_id.hex()}+{b64encode(self.material).decode()}"

    def note(self, size: int, of: bytes) -> str:
        text = f"{self.origin}\n{size}\n{b64encode(of).decode()}\n"
        return f"{text}\n— {self.origin} {b64encode(self.key_id + self.key.sign(text.encode())).decode()}\n"


def path_of(level: object, number: int, width: int = 256) -> str:
    """`tile/0/x001/234` for the tile 1234."""
    digits = f"{number:0{-(-len(str(number)) // 3) * 3}}"
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return f"tile/{level}/" + "/".join([*("x" + each for each in groups[:-1]), groups[-1]]) + ("" if width == 256 else f".p/{width}")


@dataclass
class Made:
    """A bundle being made; what is changed before `write` is in it from the beginning."""

    entries: list[bytes]
    signer: Signer = field(default_factory=Signer)
    sizes: Sequence[int] = ()
    pruned: set[int] = field(default_factory=set[int])
    """Indexes."""
    notes: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    def __post_init__(self) -> None:
        self.hashes = hashes_of(self.entries)
        for size in (*self.sizes, len(self.entries)):
            self.notes[1, size] = self.signer.note(size, root(self.hashes[:size]))
        self.checkpoint = self.notes[1, len(self.entries)]

    def write(self, folder: Path) -> Path:
        size = len(self.entries)
        shown = [b"" if at in self.pruned else each for at, each in enumerate(self.entries)]
        for number in range(-(-size // 256)):
            part = shown[number * 256 : number * 256 + 256]
            _put(folder, path_of("entries", number, len(part)), b"".join(len(each).to_bytes(2) + each for each in part))
        hashes, level = list(self.hashes), 0
        while hashes:
            for number in range(-(-len(hashes) // 256)):
                part = hashes[number * 256 : number * 256 + 256]
                _put(folder, path_of(level, number, len(part)), b"".join(part))
            hashes = [root(tuple(hashes[at : at + 256])) for at in range(0, len(hashes) - 255, 256)]
            level += 1
        _put(folder, "checkpoint", self.checkpoint.encode())
        _put(folder, "key", f"{self.signer.line}\n".encode())
        for epoch in {epoch for epoch, _ in self.notes}:
            lines = [json.dumps({"size": at, "note": note}) for (of, at), note in sorted(self.notes.items()) if of == epoch]
            _put(folder, f"checkpoints/{epoch}/000000.ndjson", "".join(f"{line}\n" for line in lines).encode())
        manifest(folder, size, self.signer.origin)
        return folder


def manifest(folder: Path, size: int, origin: str = ORIGIN) -> None:
    """Say of the files what they are now."""
    files = [folder / "checkpoint", folder / "key", *sorted(folder.glob("checkpoints/*/*"))]
    tiles = sorted((path for path in (folder / "tile/entries").rglob("*") if path.is_file()), key=_number)
    parts = [
        {"first": at * 256 + 1, "last": min(size, at * 256 + 65_536), "sha256": _sha(*(tile.read_bytes() for tile in tiles[at : at + 256]))}
        for at in range(0, len(tiles), 256)
    ]
    said = {
        "format": "minos-audit-bundle/1", "origin": origin, "epoch": 1, "size": size, "made_at": "2026-11-26T12:00:00Z", "pruned": 0,
        "checkpoints": 1, "parts": parts, "files": {str(path.relative_to(folder)): _sha(path.read_bytes()) for path in files},
    }  # fmt: skip
    _put(folder, "manifest.json", json.dumps(said).encode())


def change(path: Path, by: Callable[[bytes], bytes]) -> None:
    path.write_bytes(by(path.read_bytes()))


def flip(at: int) -> Callable[[bytes], bytes]:
    """One bit of the byte at a place."""
    return lambda raw: raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]


def _number(path: Path) -> int:
    name = str(path).partition("tile/entries/")[2].partition(".p")[0]
    return int("".join(letter for letter in name if letter.isdigit()))


def _sha(*parts: bytes) -> str:
    return sha256(b"".join(parts)).hexdigest()


def _put(folder: Path, path: str, content: bytes) -> None:
    (folder / path).parent.mkdir(parents=True, exist_ok=True)
    (folder / path).write_bytes(content)
