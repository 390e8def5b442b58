"""Every read model there is."""

from projections.api_keys import api_keys
from projections.audiences import audiences
from projections.audit_events import audit_events
from projections.erasures import erasures
from projections.invitations import invitations
from projections.past.rights import rights
from projections.past.signed_in import signed_in
from projections.projection import Projection
from projections.roles import roles
from projections.service_accounts import service_accounts
from projections.service_tokens import service_tokens
from projections.sessions import sessions
from projections.signing_keys import signing_keys
from projections.user_history import user_history
from projections.users import users

ALL: tuple[Projection, ...] = (
    users,
    invitations,
    erasures,
    sessions,
    roles,
    audiences,
    service_accounts,
    api_keys,
    service_tokens,
    signing_keys,
    user_history,
    audit_events,
    rights,
    signed_in,
)
BY_NAME = {projection.name: projection for projection in ALL}
