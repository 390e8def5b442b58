"""Reads policies (C2SP tlog-policy), a line at a time. Names are octets: no two that differ in any are the same."""

import re
from collections.abc import Mapping

from domain.tree.note import COSIGNATURE, ED25519, BadNote, VerifierKey, read_key
from domain.tree.policy import Group, Log, Policy, Witness

NONE = "none"
LONGEST_POLICY = 1_000_000
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}")
_KEY_BYTES = 32


class BadPolicy(ValueError):
    """A file is no policy. The message says which line is wrong, and in what."""


def read_policy(raw: bytes) -> Policy:
    """Raises BadPolicy."""
    if len(raw) > LONGEST_POLICY:
        raise BadPolicy(f"a policy has at most {LONGEST_POLICY} bytes")
    if raw and not raw.endswith(b"\n"):
        raise BadPolicy("the last line does not end: the file may have been cut off")
    reading = _Reading()
    for number, line in enumerate(raw.split(b"\n"), 1):
        try:
            reading.line(line)
        except (BadPolicy, BadNote) as bad:
            raise BadPolicy(f"line {number}: {bad}") from None
    return reading.whole()


class _Reading:
    def __init__(self) -> None:
        self._logs: list[Log] = []
        self._witnesses: list[Witness] = []
        self._groups: list[Group] = []
        self._names: set[str] = set()
        self._members: set[str] = set()
        self._quorum: list[str] = []

    def whole(self) -> Policy:
        if not self._quorum:
            raise BadPolicy("a policy needs a line `quorum <name>`, or `quorum none`")
        quorum = None if self._quorum[0] == NONE else self._quorum[0]
        return Policy(logs=tuple(self._logs), witnesses=tuple(self._witnesses), groups=tuple(self._groups), quorum=quorum)

    def line(self, raw: bytes) -> None:
        if not _ALLOWED.fullmatch(raw):
            raise BadPolicy("the only control character in a line is the tab")
        words = [word for word in re.split("[ \t]", raw.decode("utf-8", "surrogateescape")) if word]
        match words:
            case []:
                pass
            case [first, *_] if first.startswith("#"):
                pass
            case ["log", key, *url] if len(url) <= 1:
                self._logs.append(Log(key=_key(key, ED25519, self._known_logs()), url=url[0] if url else None))
            case ["witness", name, key, *url] if len(url) <= 1:
                known = _key(key, COSIGNATURE, self._known_witnesses())
                self._witnesses.append(Witness(name=self._new(name), key=known, url=url[0] if url else None))
            case ["group", name, least, *members] if members:
                self._group(name, least, members)
            case ["quorum", name]:
                self._demand(name)
            case _:
                raise BadPolicy(f"{_shown(' '.join(words))} is none of: {_FORMS}")

    def _group(self, name: str, least: str, members: list[str]) -> None:
        for member in members:
            self._check_defined(member)
            if member in self._members:
                raise BadPolicy(f"{_shown(member)} is a member already, and can be one only once")
            self._members.add(member)
        self._groups.append(Group(name=self._new(name), least=_threshold(least, len(members)), members=tuple(members)))

    def _demand(self, name: str) -> None:
        if self._quorum:
            raise BadPolicy("the quorum is said already")
        if name != NONE:
            self._check_defined(name)
        self._quorum.append(name)

    def _new(self, name: str) -> str:
        if name in self._names or name == NONE:
            raise BadPolicy(f"the name {_shown(name)} is taken already")
        self._names.add(name)
        return name

    def _check_defined(self, name: str) -> None:
        if name not in self._names:
            raise BadPolicy(f"{_shown(name)} is no witness and no group of a line before")

    def _known_logs(self) -> Mapping[bytes, str]:
        return {log.key.public: log.key.name for log in self._logs}

    def _known_witnesses(self) -> Mapping[bytes, str]:
        return {witness.key.public: witness.name for witness in self._witnesses}


_FORMS = (
    "`log <vkey> [<url>]`, `witness <name> <vkey> [<url>]`, `group <name> all|any|<k> <name>...`, `quorum <name>`, "
    "an empty line, a comment behind `#`"
)


def _key(line: str, kind: int, known: Mapping[bytes, str]) -> VerifierKey:
    try:
        key = read_key(line)
    except UnicodeEncodeError:
        raise BadPolicy("the name of a key is UTF-8") from None
    if key.kind != kind or len(key.public) != _KEY_BYTES:
        raise BadPolicy(f"{_shown(key.name)} needs an Ed25519 key of kind {kind}, and this is one of kind {key.kind}")
    if key.public in known:
        raise BadPolicy(f"this is the key of {_shown(known[key.public])}, under another name or not")
    return key


def _threshold(said: str, members: int) -> int:
    if said in {"all", "any"}:
        return members if said == "all" else 1
    if not _THRESHOLD.fullmatch(said) or int(said) > members:
        raise BadPolicy(f"{_shown(said)} is none of: all, any, a number from 1 to {members}")
    return int(said)


def _shown(text: str) -> str:
    return ascii(text[:80])
