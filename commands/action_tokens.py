"""A token for one action, once: made for a fresh proof, used up by the service that does the action (threats.md 5)."""

from datetime import datetime
from hashlib import sha256
from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from commands.audience_heads import audience_reads, serves
from commands.authority import caller_reads, require_within
from commands.context import ActionUse, Context, Principal
from commands.ports import AccessClaims, ActionClaims, Ports
from commands.step_up import require_proof
from commands.transact import Done, Read, Transaction, read_states, transact, use_up
from domain import action, action_catalogue, client, factors, session, user
from domain.assurance import StepUp
from domain.errors import ActionTokenInvalid, AudienceNotAllowed, PermissionDenied
from domain.ids import ActionId, ActionName, AudienceName, AudienceSlug, SessionId, UserId
from domain.user import Active

TTL = 120
"""Seconds."""

ActionText = Annotated[
    str,
    Meta(
        pattern=r"^[a-z0-9][a-z0-9_-]{0,63}:[a-z0-9][a-z0-9_-]{0,63}$(?!\n)",
        description="`<audience>:<name>`; at Minos itself `minos:` and an operation in words with hyphens, `minos:grant-role`.",
    ),
]
MethodText = Annotated[str, Meta(pattern=r"^[A-Z]{1,16}$(?!\n)")]
PathText = Annotated[str, Meta(min_length=1, max_length=1_024, description="With its query, if there is one.")]
ParametersText = Annotated[
    str, Meta(pattern=r"^[A-Za-z0-9_-]{43}$(?!\n)", description="SHA-256 of the body as it is sent, in base64url; nothing without a body.")
]


class Bound(Struct, frozen=True, kw_only=True):
    """The one request a token is good for, as far as it was said."""

    method: MethodText | None = None
    path: PathText | None = None
    parameters: ParametersText | None = None

    @property
    def digest(self) -> bytes:
        return sha256(msgspec.json.encode([self.method, self.path, self.parameters])).digest()


class MakeActionToken(Bound, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action: ActionText
    audience: AudienceSlug | None = None
    """If given, the one that `action` names."""


class ConsumeActionToken(Bound, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action_token: Annotated[str, Meta(max_length=2_048)]
    action: ActionText
    session_id: SessionId
    """The session of the access token that the same caller showed."""

    def __repr__(self) -> str:
        return f"ConsumeActionToken(action={self.action!r})"


class ActionToken(Struct, frozen=True, kw_only=True):
    action_token: str
    expires_in: int = TTL

    def __repr__(self) -> str:
        return "ActionToken(...)"


class Consumed(Struct, frozen=True, kw_only=True):
    action_id: ActionId
    action: str
    user_id: UserId
    session_id: SessionId
    consumed_at: datetime


async def make_action_token(
    command: MakeActionToken, caller: Principal, claims: AccessClaims, ports: Ports, *, own_rule: StepUp | None
) -> ActionToken:
    """Writes nothing. `own_rule` is what the action asks where it is one of Minos itself.

    Raises AudienceNotAllowed for an action of another audience than the token's, NoSuchAction, ReauthenticationRequired.
    """
    audience, name = split(command.action)
    if audience != caller.audience or command.audience not in (None, audience):
        raise AudienceNotAllowed
    proved = await require_proof(caller, own_rule if own_rule is not None else (await _rule(audience, name, ports)).step_up, ports)
    made = ActionClaims(
        action_id=ActionId(ports.random.uuid7()),
        user_id=caller.user_id,
        session_id=caller.session_id,
        epoch=claims.epoch,
        audience=audience,
        action=name,
        binding=command.digest,
        amr=caller.amr,
        factorless=proved.factorless,
        expires_at=caller.seen_at + TTL,
    )
    return ActionToken(action_token=ports.action_tokens.make(made))


async def consume_action_token(command: ConsumeActionToken, ctx: Context, ports: Ports) -> Done[Consumed]:
    """Use it up. Of any number at once, one succeeds.

    Raises PermissionDenied unless the caller is a service account that is a verifier of the action, ActionTokenInvalid for every
    token that is not for this very action, request and session, whose session is over, or that was made while there was no second
    factor and now there is one, ActionTokenUsed, NoSuchAction.
    """
    audience, name = split(command.action)
    claims = ports.action_tokens.read(command.action_token)
    if claims is None or (claims.audience, claims.action) != (audience, name):
        raise ActionTokenInvalid
    if claims.session_id != command.session_id or claims.binding != command.digest:
        raise ActionTokenInvalid
    catalogue: Read = (action_catalogue.decider, action_catalogue.stream(audience))
    of_session, of_user, of_action = session.stream(claims.session_id), user.stream(claims.user_id), action.stream(claims.action_id)
    of_factors: Read = (factors.decider, factors.stream(claims.user_id))

    def decide(tx: Transaction) -> Consumed:
        require_within((), ctx, tx)
        rule = action_catalogue.rule_of(tx.state(*catalogue), name)
        _require_verifier(rule, audience, ctx, tx)
        who = tx.state(user.decider, of_user)
        if not isinstance(who, Active) or claims.epoch < who.account.token_epoch or tx.at.timestamp() >= claims.expires_at:
            raise ActionTokenInvalid
        if not session.is_live(tx.state(session.decider, of_session), user_epoch=who.account.token_epoch, at=tx.at):
            raise ActionTokenInvalid
        if claims.factorless and tx.state(*of_factors).enrolled:
            raise ActionTokenInvalid
        use_up(tx, _use(claims))
        return Consumed(
            action_id=claims.action_id, action=command.action, user_id=claims.user_id, session_id=claims.session_id, consumed_at=tx.at
        )

    reads: list[Read] = [catalogue, (user.decider, of_user), (session.decider, of_session), (action.decider, of_action), of_factors]
    return await transact(ports, ctx, [*caller_reads(ctx), *audience_reads([audience]), *reads], decide)


def _require_verifier(rule: action_catalogue.ActionRule, audience: AudienceName, ctx: Context, tx: Transaction) -> None:
    """Raise PermissionDenied for who is not, or not any more, a service account of this audience."""
    client_id = None if ctx.machine is None else ctx.machine.client_id
    if client_id is None or client_id not in rule.verifiers:
        raise PermissionDenied
    if not serves(tx, client.registered(tx.state(client.decider, client.stream(client_id))), audience):
        raise PermissionDenied


def own_action(token: str, name: ActionName, request: Bound, caller: Principal, ports: Ports) -> ActionUse:
    """Take a token shown with the call it is for; the command's own append uses it up. Raises ActionTokenInvalid."""
    claims = ports.action_tokens.read(token)
    if claims is None or (claims.audience, claims.action) != (session.MINOS, name) or claims.binding != request.digest:
        raise ActionTokenInvalid
    if (claims.user_id, claims.session_id) != (caller.user_id, caller.session_id) or caller.seen_at >= claims.expires_at:
        raise ActionTokenInvalid
    return _use(claims)


def split(text: str) -> tuple[AudienceName, ActionName]:
    audience, _, name = text.partition(":")
    return AudienceName(audience), ActionName(name)


async def _rule(audience: AudienceName, name: ActionName, ports: Ports) -> action_catalogue.ActionRule:
    read: Read = (action_catalogue.decider, action_catalogue.stream(audience))
    return action_catalogue.rule_of((await read_states(ports, [read])).state(*read), name)


def _use(claims: ActionClaims) -> ActionUse:
    return ActionUse(
        action_id=claims.action_id,
        user_id=claims.user_id,
        session_id=claims.session_id,
        audience=claims.audience,
        action=claims.action,
        amr=claims.amr,
        factorless=claims.factorless,
    )
