"""Every category of streams, and how its events fold."""

from collections.abc import Mapping
from typing import Any

from domain import (
    action,
    action_catalogue,
    administrators,
    api_key,
    attributes,
    audience,
    audit,
    bootstrap,
    claim,
    client,
    erasure,
    factor_policy,
    factors,
    invitation,
    key_owner,
    log,
    machine_token,
    password_reset,
    role,
    session,
    sign_in_guard,
    signing_key,
    user,
    vault_keys,
)
from domain.decider import Decider

BY_CATEGORY: Mapping[str, Decider[Any, Any]] = {
    of.category: of
    for of in (
        action.decider, action_catalogue.decider, administrators.decider, api_key.decider, attributes.decider, audience.decider,
        audit.decider, bootstrap.decider, claim.decider, client.decider, erasure.decider, factor_policy.decider, factors.decider,
        invitation.decider, key_owner.decider, log.decider, machine_token.decider, password_reset.decider, role.decider, session.decider,
        sign_in_guard.decider, signing_key.decider, user.decider, vault_keys.decider,
    )
}  # fmt: skip


def decider_of(stream: str) -> Decider[Any, Any] | None:
    """Give how a stream folds; None for one of no category that is known."""
    return BY_CATEGORY.get(stream.partition("-")[0])
