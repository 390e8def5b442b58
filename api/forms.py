"""Bodies of OAuth requests: `application/x-www-form-urlencoded`, read strictly (RFC 6749 3.1: no parameter twice)."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from api.refusals import FormInvalid

MOST_FIELDS = 16


def form(body: bytes) -> Mapping[str, str]:
    """Give the parameters by name; one without a value is as if it had not been sent (RFC 6749 3.2). Raises FormInvalid."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=bool(body), errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:
        raise FormInvalid from None
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise FormInvalid
    return {name: value for name, value in fields.items() if value}
