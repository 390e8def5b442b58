"""A name twice in one object: each reader picks another of the two values, so whoever looked at a body before us saw another request."""

import json

from api.refusals import MalformedBody, NameRepeated


def refuse_repeated_names(body: bytes) -> None:
    """Raise NameRepeated for an object that has a name twice, at any depth and however it is spelled (RFC 8259 4, RFC 7493 2.3).

    Raises MalformedBody for what it cannot read; the rest of what is wrong is for the decoder. Depth has to be bounded before.
    """
    if body.count(b":") < 2:  # each member has one of its own; a refresh, which is asked for all day, has no more
        return
    try:
        _READER.decode(body.decode("utf-8"))
    except ValueError:
        raise MalformedBody from None


def _object(members: list[tuple[str, object]]) -> None:
    """Keep nothing: a body is looked through, not built."""
    if len(members) > 1 and len(dict(members)) < len(members):
        raise NameRepeated


_READER = json.JSONDecoder(object_pairs_hook=_object, parse_int=len, parse_float=len)
"""Numbers are measured, not read: reading a long one takes quadratic time."""
