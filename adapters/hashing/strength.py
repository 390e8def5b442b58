"""How many tries a password takes somebody who knows how people choose theirs (zxcvbn, Wheeler 2016), in the hashing process.

The library holds the interpreter while it works, and what it does grows steeply with what is made to look like many things at
once: a text of 100 characters can take it 0.3 s, one of CONSIDERED about as long as a hash takes.
"""

import re
from collections.abc import Sequence

import msgspec
from zxcvbn_rs_py import zxcvbn

CONSIDERED = 32
"""Characters that are looked at. What follows cannot make a password easier: the estimate is a floor."""
_CAPITAL = re.compile(r"(?<!^)(?=[A-Z])")


def estimate(password: str, context: Sequence[str]) -> bytes:
    """Give a commands.ports.Strength as JSON."""
    found = zxcvbn(_utf8(password[:CONSIDERED]), [_utf8(word) for word in context])
    said = found.feedback
    strength = {
        "score": int(found.score),
        "guesses_log10": round(found.guesses_log10, 1),
        "warning": None if said is None or said.warning is None else _advice(said.warning),
        "suggestions": [] if said is None else [_advice(each) for each in said.suggestions],
    }
    return msgspec.json.encode(strength)


def _utf8(text: str) -> str:
    """The library knows no lone surrogates."""
    return text.encode("utf-8", "replace").decode()


def _advice(said: object) -> dict[str, str]:
    """The library's name for what it says and its words: `AvoidRecentYears` as `avoid_recent_years`."""
    return {"code": _CAPITAL.sub("_", repr(said).rpartition(".")[2]).lower(), "text": str(said)}
