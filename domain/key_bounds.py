"""What the owner of an API key may do at the key's audience: a key gives no more, now or at any moment of the past."""

from collections.abc import Collection, Iterable, Mapping

from domain.audience import Audience, for_client, for_user, in_catalogue
from domain.errors import AudienceNotAllowed
from domain.ids import AudienceName, ClientId, RoleName
from domain.permission import Permission


def of_service(
    asked: Audience, audience: AudienceName, *, client_id: ClientId, audiences: Collection[AudienceName], permissions: Iterable[Permission]
) -> tuple[Permission, ...]:
    """Of a service account that is registered and not disabled. Raises AudienceNotAllowed."""
    if audience not in audiences:
        raise AudienceNotAllowed
    return in_catalogue(audience, for_client(asked, client_id), permissions)


def of_person(
    asked: Audience, audience: AudienceName, *, roles: Iterable[RoleName], given: Mapping[RoleName, Iterable[Permission]]
) -> tuple[Permission, ...]:
    """Of an account that is active, by all of its roles and what those give. Raises AudienceNotAllowed."""
    rules = for_user(asked, roles)
    return in_catalogue(audience, rules, [permission for permissions in given.values() for permission in permissions])
