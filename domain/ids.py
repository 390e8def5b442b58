"""Names for the things we point at, so that a user's id is never taken for a session's."""

import re
from typing import Annotated, NewType
from uuid import UUID

from msgspec import Meta

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
ClaimId = NewType("ClaimId", UUID)
FactorId = NewType("FactorId", UUID)
ResetId = NewType("ResetId", UUID)
InvitationId = NewType("InvitationId", UUID)
CommandId = NewType("CommandId", UUID)
EventId = NewType("EventId", UUID)
CorrelationId = NewType("CorrelationId", UUID)

KeyId = NewType("KeyId", UUID)
"""An API key's, which is no secret."""
SecretId = NewType("SecretId", UUID)
ActionId = NewType("ActionId", UUID)
TokenId = NewType("TokenId", UUID)
"""A token's `jti`."""

SubjectKeyId = NewType("SubjectKeyId", UUID)
"""One key of one subject and class; the vault holds it wrapped, erasure destroys it."""

# `$` alone would let one newline pass at the end; so written, the patterns mean the same to Python and to JSON Schema.
_SLUG = r"^[a-z0-9][a-z0-9_-]{0,63}$(?!\n)"

_IS_SLUG = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def is_slug(text: str) -> bool:
    """Tell whether a text could name a role, an audience or a client."""
    return _IS_SLUG.fullmatch(text) is not None


Kid = NewType("Kid", str)
"""A signing key's RFC 7638 thumbprint: base64url of a SHA-256."""
RoleName = NewType("RoleName", str)
AudienceName = NewType("AudienceName", str)
ClientId = NewType("ClientId", str)
ActionName = NewType("ActionName", str)
KekId = NewType("KekId", str)
"""Of a key that wraps others: a kind and a digest of the key."""

# What a field of an event or a request is: the same names, with the shape that decoding insists on.
KidText = Annotated[Kid, Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]
RoleSlug = Annotated[RoleName, Meta(pattern=_SLUG)]
AudienceSlug = Annotated[AudienceName, Meta(pattern=_SLUG)]
ClientSlug = Annotated[ClientId, Meta(pattern=_SLUG)]
KekSlug = Annotated[KekId, Meta(pattern=_SLUG)]
ActionSlug = Annotated[ActionName, Meta(pattern=_SLUG)]

Digest = NewType("Digest", str)
"""base64url of an HMAC-SHA-256 over a secret, under a key that is not in the database."""
DigestText = Annotated[Digest, Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)")]

StreamName = NewType("StreamName", str)
"""`<category>-<id>`, or the bare category where there is only one such stream."""
