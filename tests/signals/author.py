"""Histories as commands write them: events of every kind that signals, in real streams, with the states they fold to."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from adapters.event_store import PostgresEventStore
from commands.ports import AppendResult, Commit, NewEvent, StreamWrite
from domain import api_key, audience, client, machine_token, role, session, signing_key, user
from domain.api_key import ApiKeyRevoked
from domain.audience import AudienceChanged, AudienceDefined, AudienceRetired, PrincipalKind, Rules
from domain.client_events import ClientDeleted, ClientRegistered, ClientTokensRevoked
from domain.codec import encode_state
from domain.decider import Decider
from domain.event import Event
from domain.ids import AudienceName, ClientId, CommandId, CorrelationId, KeyId, Kid, RoleName, SessionId, StreamName, TokenId, UserId
from domain.machine_token import ServiceTokenIssued, TokenRevocation, TokenRevoked
from domain.permission import Permission
from domain.role import RoleDefined, RolePermissionsChanged, RoleRetired
from domain.session_events import EndReason, RefreshReused, SessionRevoked
from domain.signing_key import KeyRevocation, SigningKeyRevoked
from domain.user_events import (
    PasswordReason,
    PasswordSet,
    RoleGranted,
    RoleRevoked,
    SignedOutEverywhere,
    SuspendReason,
    UserReinstated,
    UserSuspended,
)
from tests.projections.histories import issued, new_event, password_set, registered, sealed, started, uuid7


def now() -> datetime:
    return datetime.now(UTC)


def _commit(write: StreamWrite) -> Commit:
    return Commit(
        command_id=CommandId(uuid4()),
        actor="system",
        session_id=None,
        correlation_id=CorrelationId(uuid4()),
        causation_id=None,
        writes=(write,),
    )


@dataclass
class Author:
    store: PostgresEventStore
    states: dict[StreamName, Any] = field(default_factory=dict)
    versions: dict[StreamName, int] = field(default_factory=dict)

    async def write(self, of: Decider[Any, Any], stream: StreamName, *events: Event) -> Commit:
        made = self.commit(of, stream, *events)
        assert (await self.store.append(made)).result is AppendResult.DONE
        return made

    async def write_raw(self, name: str, event: NewEvent) -> None:
        """Append what this code has no type for."""
        stream = StreamName(name)
        write = StreamWrite(stream=stream, expected=self.versions.get(stream, 0), events=(event,), state=b"", state_version=0)
        assert (await self.store.append(_commit(write))).result is AppendResult.DONE

    def commit(self, of: Decider[Any, Any], stream: StreamName, *events: Event) -> Commit:
        state = of.fold(events, self.states.get(stream, of.initial))
        expected = self.versions.get(stream, 0)
        write = StreamWrite(
            stream=stream,
            expected=expected,
            events=tuple(new_event(event) for event in events),
            state=encode_state(state),
            state_version=of.state_version,
        )
        self.states[stream], self.versions[stream] = state, expected + len(events)
        return _commit(write)

    async def user(self, *roles: str) -> UserId:
        user_id = UserId(uuid7())
        await self.write(user.decider, user.stream(user_id), registered(user_id, roles or ("user",)), password_set(user_id))
        return user_id

    async def session(self, user_id: UserId) -> SessionId:
        session_id = SessionId(uuid7())
        await self.write(session.decider, session.stream(session_id), started(session_id, user_id), issued(session_id, user_id, 1))
        return session_id

    async def revoke(self, session_id: SessionId, user_id: UserId, reason: EndReason = EndReason.LOGOUT) -> Commit:
        event = SessionRevoked(session_id=session_id, user_id=user_id, reason=reason, at=now())
        return await self.write(session.decider, session.stream(session_id), event)

    async def reuse(self, session_id: SessionId, user_id: UserId) -> None:
        event = RefreshReused(session_id=session_id, user_id=user_id, generation=1, current_generation=3, at=now())
        await self.write(session.decider, session.stream(session_id), event)

    async def of_user(self, user_id: UserId, *events: Event) -> Commit:
        return await self.write(user.decider, user.stream(user_id), *events)

    def epoch(self, user_id: UserId) -> int:
        epoch: int = user.account_of(self.states[user.stream(user_id)]).token_epoch
        return epoch

    def roles(self, user_id: UserId) -> tuple[str, ...]:
        return user.account_of(self.states[user.stream(user_id)]).roles

    async def sign_out(self, user_id: UserId) -> Commit:
        return await self.of_user(user_id, SignedOutEverywhere(user_id=user_id, token_epoch=self.epoch(user_id) + 1, at=now()))

    async def suspend(self, user_id: UserId) -> Commit:
        event = UserSuspended(user_id=user_id, reason=SuspendReason.ABUSE, note=None, token_epoch=self.epoch(user_id) + 1, at=now())
        return await self.of_user(user_id, event)

    async def reinstate(self, user_id: UserId) -> Commit:
        return await self.of_user(user_id, UserReinstated(user_id=user_id, at=now()))

    async def change_password(self, user_id: UserId) -> Commit:
        version = user.account_of(self.states[user.stream(user_id)]).password_version + 1
        event = PasswordSet(
            user_id=user_id,
            password=sealed(),
            password_version=version,
            token_epoch=self.epoch(user_id) + 1,
            reason=PasswordReason.CHANGED,
            at=now(),
        )
        return await self.of_user(user_id, event)

    async def grant(self, user_id: UserId, name: str) -> Commit:
        version = user.account_of(self.states[user.stream(user_id)]).roles_version + 1
        return await self.of_user(user_id, RoleGranted(user_id=user_id, role=RoleName(name), roles_version=version, at=now()))

    async def take(self, user_id: UserId, name: str) -> Commit:
        version = user.account_of(self.states[user.stream(user_id)]).roles_version + 1
        return await self.of_user(user_id, RoleRevoked(user_id=user_id, role=RoleName(name), roles_version=version, at=now()))

    async def role(self, name: str, *permissions: str) -> None:
        stream = role.stream(RoleName(name))
        of = tuple(Permission(each) for each in permissions)
        known = self.states.get(stream)
        if isinstance(known, role.Defined):
            event: Event = RolePermissionsChanged(role=RoleName(name), permissions=of, definition=known.definition + 1, at=now())
        else:
            event = RoleDefined(role=RoleName(name), permissions=of, description=None, at=now())
        await self.write(role.decider, stream, event)

    async def retire_role(self, name: str) -> None:
        stream = role.stream(RoleName(name))
        await self.write(role.decider, stream, RoleRetired(role=RoleName(name), definition=self.states[stream].definition + 1, at=now()))

    async def audience(self, name: str, *permissions: str, people: bool = True, ttl: int | None = None) -> None:
        principals = (PrincipalKind.USER, PrincipalKind.SERVICE) if people else (PrincipalKind.SERVICE,)
        rules = Rules(permissions=tuple(Permission(each) for each in permissions), principals=principals, access_token_ttl=ttl)
        event = AudienceDefined(audience=AudienceName(name), rules=rules, description=None, at=now())
        await self.write(audience.decider, audience.stream(AudienceName(name)), event)

    async def rule(self, name: str, rules: Rules) -> None:
        stream = audience.stream(AudienceName(name))
        event = AudienceChanged(audience=AudienceName(name), rules=rules, definition=self.states[stream].definition + 1, at=now())
        await self.write(audience.decider, stream, event)

    async def retire_audience(self, name: str) -> None:
        event = AudienceRetired(audience=AudienceName(name), definition=2, at=now())
        await self.write(audience.decider, audience.stream(AudienceName(name)), event)

    async def client(self, name: str) -> ClientId:
        client_id = ClientId(name)
        event = ClientRegistered(client_id=client_id, owner_id=None, name=sealed(), audiences=(), permissions=(), token_ttl=300, at=now())
        await self.write(client.decider, client.stream(client_id), event)
        return client_id

    async def revoke_client(self, client_id: ClientId) -> None:
        epoch = self.states[client.stream(client_id)].epoch + 1
        await self.write(client.decider, client.stream(client_id), ClientTokensRevoked(client_id=client_id, epoch=epoch, at=now()))

    async def delete_client(self, client_id: ClientId) -> None:
        await self.write(client.decider, client.stream(client_id), ClientDeleted(client_id=client_id, at=now()))

    async def withdraw_key(self, kid: str) -> None:
        event = SigningKeyRevoked(kid=Kid(kid), reason=KeyRevocation.COMPROMISED, at=now())
        await self.write(signing_key.decider, signing_key.stream(Kid(kid)), event)

    async def give_token(self, name: str, client: str = "reporter", *permissions: str, days: float = 90) -> TokenId:
        token_id = TokenId(uuid7())
        event = ServiceTokenIssued(
            token_id=token_id, client_id=ClientId(client), audience=AudienceName(name), kid=Kid("k".ljust(43, "x")),
            permissions=tuple(Permission(each) for each in permissions), expires_at=now() + timedelta(days=days), at=now(),
        )  # fmt: skip
        await self.write(machine_token.decider, machine_token.stream(token_id), event)
        return token_id

    async def revoke_token(self, *, seconds: int = 300) -> TokenId:
        token_id = TokenId(uuid7())
        end = now() + timedelta(seconds=seconds)
        event = TokenRevoked(token_id=token_id, client_id=ClientId("reporter"), reason=TokenRevocation.LEAKED, expires_at=end, at=now())
        await self.write(machine_token.decider, machine_token.stream(token_id), event)
        return token_id

    async def revoke_api_key(self) -> KeyId:
        key_id = KeyId(uuid7())
        event = ApiKeyRevoked(key_id=key_id, user_id=None, reason=api_key.KeyRevocation.LEAKED, at=now())
        await self.write(api_key.decider, api_key.stream(key_id), event)
        return key_id
