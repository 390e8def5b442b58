"""Random histories: decisions made one after another, as commands make them, whatever they decide or refuse."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NamedTuple

from hypothesis import strategies as st
from msgspec.structs import replace

from domain import (
    action,
    action_catalogue,
    address_change,
    administrators,
    api_key,
    attributes,
    audience,
    audit,
    bootstrap,
    claim,
    client,
    deletion,
    erasure,
    factor_policy,
    factors,
    invitation,
    key_owner,
    log,
    machine_token,
    mailbox_proof,
    password_reset,
    role,
    session,
    session_end,
    session_review,
    sign_in_guard,
    signing_key,
    user,
    user_password,
    vault_keys,
)
from domain.api_key import KeyDigest
from domain.assurance import Acr, StepUp
from domain.audience import PrincipalKind, Rules
from domain.audit import Matter, Question
from domain.claim import ClaimKind
from domain.client_events import ClientKey, DisableReason, SecretDigest
from domain.decider import Decider
from domain.errors import Refused
from domain.event import Event
from domain.factor_events import WhyRemoved
from domain.factor_policy import Requirement
from domain.ids import ActionName, RoleName, SecretId
from domain.locale import Locale
from domain.log import EpochReason, LastPublished, Origin, Root
from domain.machine_token import TokenRevocation
from domain.permission import Permission
from domain.session_events import AuthMethod, EndReason
from domain.signing_key import Algorithm, KeyRevocation
from domain.suspicion import Review, Signal
from domain.user_events import AskedBy, DeleteReason, RegisteredBy, SuspendReason
from tests.domain import examples as ex
from tests.domain.test_session import START
from tests.domain.test_signing_key import PUBLIC


class Wish(NamedTuple):
    decision: Callable[..., Sequence[Any]]
    facts: dict[str, Any]


_REGISTER = {
    "user_id": ex.ADA,
    "email": ex.EMAIL,
    "email_claim": ex.EMAIL_CLAIM,
    "username": ex.USERNAME,
    "username_claim": ex.NAME_CLAIM,
    "name": ex.NAME,
    "password": ex.PASSWORD,
    "roles": [ex.USER_ROLE],
    "registered_by": RegisteredBy.SELF,
}
_NEW_KEY = {"kid": ex.KID, "algorithm": Algorithm.ES256, "public": PUBLIC}
_ISSUE = {"audience": ex.TASKS, "key_version": 1, "access_ttl": 300}
_REFRESH = {"audience": None, "key_version": 1, "access_ttl": 300, "grace": 10}
ROLE = RoleName("editor")
_CLIENT = {
    "owner_id": ex.ADA,
    "name": ex.NAME,
    "audiences": [ex.TASKS, ex.NOTES],
    "permissions": [Permission("tasks.*")],
    "token_ttl": 300,
}
_SERVICE_TOKEN = {
    "token_id": ex.TOKEN,
    "client_id": ex.REPORTER,
    "expires_at": ex.NOW + timedelta(hours=1),
}


_ACTION = {
    "action_id": ex.ACTION,
    "user_id": ex.ADA,
    "session_id": ex.SESSION,
    "audience": ex.TASKS,
    "action": ex.REFUND,
}


_API_KEY = {
    "key_id": ex.KEY,
    "user_id": ex.ADA,
    "client_id": None,
    "name": ex.NAME,
    "audience": ex.TASKS,
    "permissions": [Permission("tasks.read")],
    "secret": KeyDigest(digest=ex.DIGEST, key_version=1),
    "ttl": 3_000,
}


def _secret(secret_id: SecretId, ttl: int | None) -> SecretDigest:
    until = None if ttl is None else ex.NOW + timedelta(seconds=ttl)
    return SecretDigest(secret_id=secret_id, digest=ex.DIGEST, key_version=1, made_at=ex.NOW, expires_at=until)


_ENROL = {"user_id": ex.ADA, "factor_id": ex.OTHER_FACTOR}
_OPENED = Wish(user.register, _REGISTER)
_RESET = {
    "account": user.account_of(user.decider.fold(_OPENED.decision(user.Absent(), **_OPENED.facts, at=ex.NOW))),
    "reset_id": ex.RESET,
}


_INVITE = {
    "invitation_id": ex.INVITATION,
    "email": ex.EMAIL,
    "name": None,
    "roles": [ex.EDITOR],
    "invited_by": ex.BOB,
    "ttl": 3_000,
}

_PART = log.Stretch(partition=0, first_position=1, last_position=256, events=256)

WISHES: dict[str, tuple[Decider[Any, Any], list[Wish]]] = {
    "user": (
        user.decider,
        [
            Wish(user.register, _REGISTER),
            *(Wish(user_password.change_password, {"password": ex.NEXT_PASSWORD, "remembered": n}) for n in (0, 2)),
            Wish(mailbox_proof.prove_email, {"claim": ex.EMAIL_CLAIM, "password": ex.NEXT_PASSWORD, "remembered": 2}),
            Wish(mailbox_proof.reset_password, {"password": ex.NEXT_PASSWORD, "remembered": 0}),
            Wish(address_change.change, {"email": ex.EMAIL, "claim": ex.OTHER_CLAIM}),
            Wish(address_change.undo, {"claim": ex.EMAIL_CLAIM, "password": ex.NEXT_PASSWORD, "remembered": 2}),
            Wish(address_change.release, {}),
            Wish(user_password.rehash_password, {"password": ex.NEXT_PASSWORD, "verified": ex.PASSWORD}),
            Wish(user.change_profile, {"name": ex.OTHER_NAME}),
            Wish(user.change_profile, {"name": None}),
            *(Wish(user.choose_locale, {"locale": each}) for each in (Locale.DE, None)),
            Wish(user.change_username, {"username": None, "claim": None}),
            Wish(user.change_username, {"username": ex.USERNAME, "claim": ex.OTHER_CLAIM}),
            *(Wish(d, {"role": r}) for d in (user.grant_role, user.revoke_role) for r in (ex.EDITOR, ex.USER_ROLE)),
            Wish(user.suspend, {"reason": SuspendReason.ABUSE, "note": ex.NAME}),
            Wish(user.reinstate, {}),
            Wish(deletion.delete, {"reason": DeleteReason.LEFT, "restorable_s": 60}),
            Wish(deletion.restore, {}),
            Wish(deletion.release_names, {}),
            Wish(deletion.erase, {"asked_by": AskedBy.OWN_REQUEST, "keys": [ex.NAME.key_id], "claims": [ex.EMAIL_CLAIM]}),
            Wish(user.sign_out_everywhere, {}),
        ],
    ),
    "session": (
        session.decider,
        [
            Wish(session.start, {k: v for k, v in START.items() if k != "at"}),
            Wish(session.issue, _ISSUE),
            *(Wish(session.refresh, {**_REFRESH, "generation": g, "user_epoch": e}) for g in (1, 2, 3) for e in (1, 2)),
            Wish(session_review.flag, {"signals": [Signal.NEW_NETWORK, Signal.NEW_DEVICE]}),
            *(Wish(session_review.review, {"review": r}) for r in (Review.ACKNOWLEDGED, Review.RESOLVED)),
            Wish(session.name_device, {"owner": ex.ADA, "device_name": ex.NETWORK}),
            Wish(session.reauthenticate, {"methods": [AuthMethod.PASSWORD]}),
            Wish(session.reauthenticate, {"methods": [AuthMethod.PASSKEY, AuthMethod.USER_VERIFIED]}),
            Wish(session.rebase, {"token_epoch": 2}),
            *(Wish(session_end.revoke, {"user_epoch": e, "reason": EndReason.LOGOUT}) for e in (1, 2)),
            Wish(session_end.erase, {"owner": ex.ADA}),
            Wish(session_end.revoke_own, {"owner": ex.BOB, "user_epoch": 1, "reason": EndReason.LOGOUT}),
        ],
    ),
    "invitation": (
        invitation.decider,
        [
            Wish(invitation.make, _INVITE),
            Wish(invitation.renew, {"ttl": 600}),
            *(Wish(invitation.accept, {"mailing": n, "user_id": ex.ADA}) for n in (1, 2)),
            Wish(invitation.revoke, {}),
            Wish(invitation.erase, {"user_id": ex.ADA}),
        ],
    ),
    "erasure": (
        erasure.decider,
        [
            Wish(erasure.ask, {"user_id": ex.ADA, "wait_s": 600}),
            Wish(erasure.hold, {"user_id": ex.ADA, "period_s": 1_200}),
            Wish(erasure.leave_time, {"user_id": ex.ADA, "wait_s": 900}),
            Wish(erasure.withdraw, {"user_id": ex.ADA}),
            Wish(erasure.begin, {"user_id": ex.ADA}),
            Wish(erasure.begin, {"user_id": ex.ADA, "not_before": ex.NOW + timedelta(hours=1)}),
            Wish(erasure.ask, {"user_id": ex.ADA, "wait_s": 300, "asked_by": AskedBy.LAW}),
            Wish(erasure.withdraw, {"user_id": ex.ADA, "own": False}),
            Wish(erasure.begin_again, {"user_id": ex.ADA, "asked_by": AskedBy.ADMINISTRATOR}),
            *(
                Wish(erasure.complete, {"user_id": ex.ADA, "told": [ex.TASKS, ex.NOTES], "names_until": until})
                for until in (None, ex.NOW + timedelta(hours=1))
            ),
            Wish(erasure.release_names, {"user_id": ex.ADA, "early": True}),
            Wish(erasure.remind, {"user_id": ex.ADA}),
            Wish(erasure.acknowledge, {"user_id": ex.ADA, "audience": ex.TASKS}),
        ],
    ),
    "attributes": (
        attributes.decider,
        [Wish(attributes.replace, {"user_id": ex.ADA, "attributes": sealed}) for sealed in (ex.NAME, ex.OTHER_NAME, None)],
    ),
    "password_reset": (password_reset.decider, [Wish(password_reset.ask, _RESET), Wish(password_reset.use, _RESET)]),
    "claim": (
        claim.decider,
        [
            Wish(claim.take, {"claim_id": ex.EMAIL_CLAIM, "kind": ClaimKind.EMAIL, "user_id": ex.ADA}),
            Wish(claim.release, {}),
        ],
    ),
    "role": (
        role.decider,
        [
            Wish(role.define, {"role": ROLE, "permissions": [Permission("a.b")], "description": None}),
            Wish(role.change_permissions, {"permissions": [Permission("c.d")]}),
            Wish(role.retire, {}),
        ],
    ),
    "signing_key": (
        signing_key.decider,
        [
            Wish(signing_key.create, _NEW_KEY),
            Wish(signing_key.promote, {}),
            Wish(signing_key.pledge, {"until": ex.NOW + timedelta(days=90)}),
            Wish(signing_key.retire, {"verify_until": ex.NOW + timedelta(hours=1)}),
            Wish(signing_key.revoke, {"reason": KeyRevocation.SUPERSEDED}),
        ],
    ),
    "api_key": (
        api_key.decider,
        [
            Wish(api_key.make, _API_KEY),
            Wish(api_key.rotate, {"secret": KeyDigest(digest=ex.DIGEST, key_version=2), "overlap": 600, "ttl": 4_000}),
            Wish(api_key.rotate, {"secret": KeyDigest(digest=ex.DIGEST, key_version=3), "overlap": 0, "ttl": 2_000}),
            Wish(api_key.tell_of_end, {}),
            Wish(api_key.revoke, {"reason": api_key.KeyRevocation.BY_OWNER}),
            Wish(api_key.erase, {"owner": ex.ADA}),
        ],
    ),
    "key_owner": (
        key_owner.decider,
        [
            Wish(key_owner.add, {"key_id": ex.KEY, "expires_at": ex.NOW + timedelta(hours=1)}),
            Wish(key_owner.add, {"key_id": ex.OTHER_KEY, "expires_at": ex.NOW + timedelta(hours=3)}),
            *(Wish(key_owner.remove, {"key_id": key_id}) for key_id in (ex.KEY, ex.OTHER_KEY)),
        ],
    ),
    "audience": (
        audience.decider,
        [
            Wish(audience.define, {"audience": ex.TASKS, "rules": Rules(), "description": None}),
            Wish(audience.change, {"rules": Rules(permissions=(Permission("tasks.read"),))}),
            Wish(audience.change, {"rules": Rules(principals=(PrincipalKind.SERVICE,), access_token_ttl=60)}),
            Wish(audience.retire, {}),
        ],
    ),
    "factor_policy": (
        factor_policy.decider,
        [
            *(Wish(factor_policy.ask_of_role, {"role": ROLE, "requirement": r}) for r in Requirement),
            *(Wish(factor_policy.ask_at_audience, {"audience": ex.TASKS, "requirement": r}) for r in Requirement),
        ],
    ),
    "client": (
        client.decider,
        [
            Wish(client.register, {"client_id": ex.REPORTER, **_CLIENT}),
            Wish(client.change, {**_CLIENT, "permissions": [Permission("tasks.read")]}),
            Wish(client.change, {**_CLIENT, "audiences": [ex.TASKS]}),
            Wish(client.change, _CLIENT),
            Wish(client.add_secret, {"secret": _secret(ex.SECRET_ID, None), "overlap": 1_000}),
            Wish(client.add_secret, {"secret": _secret(ex.NEXT_SECRET_ID, 5_000), "overlap": 0}),
            *(Wish(client.remove_secret, {"secret_id": s}) for s in (ex.SECRET_ID, ex.NEXT_SECRET_ID)),
            Wish(client.add_key, {"key": ClientKey(kid=ex.KID, algorithm=Algorithm.ES256, public=PUBLIC)}),
            Wish(client.remove_key, {"kid": ex.KID}),
            Wish(client.revoke_tokens, {}),
            Wish(client.disable, {"reason": DisableReason.ADMINISTRATIVE}),
            Wish(client.enable, {}),
            Wish(client.delete, {}),
        ],
    ),
    "token": (
        machine_token.decider,
        [
            Wish(machine_token.issue, {**_SERVICE_TOKEN, "audience": ex.TASKS, "permissions": [Permission("tasks.read")], "kid": ex.KID}),
            Wish(machine_token.tell_of_end, {}),
            Wish(machine_token.revoke, {**_SERVICE_TOKEN, "reason": TokenRevocation.BY_HOLDER}),
            Wish(machine_token.revoke_issued, {"reason": TokenRevocation.LEAKED}),
        ],
    ),
    "action": (
        action.decider,
        [Wish(action.consume, _ACTION)],
    ),
    "actions": (
        action_catalogue.decider,
        [
            *(
                Wish(action_catalogue.define_action, {"action": a, "audience": ex.TASKS, "step_up": s, "verifiers": [ex.REPORTER]})
                for a in (ex.REFUND, ActionName("close"))
                for s in (StepUp(max_age=60), StepUp(max_age=300, acr=Acr.TWO_FACTOR))
            ),
            Wish(action_catalogue.withdraw_action, {"action": ex.REFUND, "audience": ex.TASKS}),
        ],
    ),
    "administrators": (
        administrators.decider,
        [Wish(d, {"user_id": u}) for d in (administrators.add, administrators.remove) for u in (ex.ADA, ex.BOB)],
    ),
    "factors": (
        factors.decider,
        [
            Wish(factors.offer_totp, {"user_id": ex.ADA, "factor_id": ex.FACTOR, "seed": ex.TOTP_SEED}),
            Wish(factors.confirm_totp, {"user_id": ex.ADA, "factor_id": ex.FACTOR, "step": 5}),
            *(Wish(factors.use_totp, {"user_id": ex.ADA, "factor_id": ex.FACTOR, "step": n}) for n in (6, 9)),
            Wish(factors.register_passkey, {**_ENROL, "credential": ex.CREDENTIAL, "sign_count": 3, "name": ex.NAME}),
            *(Wish(factors.use_passkey, {**_ENROL, "sign_count": n, "asked_at": ex.NOW + timedelta(days=1)}) for n in (3, 8)),
            Wish(factors.rename, {**_ENROL, "name": ex.OTHER_NAME}),
            *(Wish(factors.remove, {"user_id": ex.ADA, "factor_id": f, "why": WhyRemoved.SELF}) for f in (ex.FACTOR, ex.OTHER_FACTOR)),
            Wish(factors.make_recovery_codes, {"user_id": ex.ADA, "verifiers": ex.VERIFIERS, "count": 2}),
            *(Wish(factors.use_recovery_code, {"user_id": ex.ADA, "verifiers": ex.VERIFIERS, "number": n}) for n in (0, 1)),
            Wish(factors.erase, {"user_id": ex.ADA}),
            *(Wish(factors.pause_guessing, {"user_id": ex.ADA, "failures": 9, "until": until}) for until in (None, ex.NOW)),
        ],
    ),
    "audit": (
        audit.decider,
        [Wish(audit.note, {"question": Question.WHAT_CAN, "about": Matter(user_id=u, last=9)}) for u in (ex.ADA, ex.BOB)],
    ),
    "log": (
        log.decider,
        [
            *(
                Wish(log.open_epoch, {"epoch": n, "reason": EpochReason.FORK, "kept": 9, "agreed": 5, "earlier": earlier})
                for n, earlier in [(2, None), (3, LastPublished(origin=Origin("id.example.org/log"), size=7, root=Root("A" * 43 + "=")))]
            ),
            Wish(log.seal, {"of": _PART}),
            Wish(log.prune, {"of": _PART, "count": 90, "older_than": ex.NOW}),
            *(Wish(each, {"of": of}) for each in (log.detach, log.attach) for of in (_PART, replace(_PART, partition=1))),
        ],
    ),
    "bootstrap": (bootstrap.decider, [Wish(bootstrap.complete, {"user_id": ex.ADA})]),
    "vault": (
        vault_keys.decider,
        [
            Wish(vault_keys.begin_rewrap, {"to": ex.ROOT_KEK}),
            Wish(
                vault_keys.end_rewrap,
                {"to": ex.ROOT_KEK, **dict.fromkeys(("service_keys", "signing_keys", "log_keys", "month_keys", "subject_keys"), 1)},
            ),
            Wish(vault_keys.destroy_month, {"kek_id": ex.MONTH_KEK}),
        ],
    ),
    "sign_in_guard": (
        sign_in_guard.decider,
        [Wish(sign_in_guard.lock, {"user_id": ex.ADA, "failures": n, "until": ex.NOW + timedelta(seconds=60 * n)}) for n in (5, 6)],
    ),
}


def history(category: str) -> st.SearchStrategy[list[Event]]:
    """Events that decisions of a category really made, in the order they made them."""
    decider, wishes = WISHES[category]
    steps = st.lists(st.tuples(st.sampled_from(wishes), st.integers(0, 2_000)), max_size=20)
    return steps.map(lambda chosen: _live_through(decider, [(wishes[0], 0), *chosen]))


def _live_through(decider: Decider[Any, Any], steps: Sequence[tuple[Wish, int]]) -> list[Event]:
    state, at = decider.initial, ex.NOW
    past: list[Event] = []
    for wish, seconds in steps:
        at += timedelta(seconds=seconds)
        try:
            events = wish.decision(state, **wish.facts, at=at)
        except Refused:
            continue
        state = decider.fold(events, state)
        past.extend(events)
    return past
