"""What people do, ten events each: they open an account, sign in, come back, and some of them more than that."""

from base64 import b32encode
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from msgspec import Struct

from adapters.wrapping import KeyWrapping
from bench.growth.acting import Acting, Past
from bench.growth.keys import Keys
from commands.api_key_text import kept, new_key_text
from commands.client_secrets import PREFIX
from commands.context import Context, Principal
from commands.login_names import normalise_email
from commands.ports import Ports, SecretKind
from commands.start_session import FIRST_PARTY
from commands.transact import Transaction
from domain import api_key, claim, client, key_owner, session, session_end, user
from domain.account import Account
from domain.claim import ClaimKind
from domain.client_events import SecretDigest
from domain.event import SealClass
from domain.ids import AudienceName, ClaimId, ClientId, CorrelationId, KeyId, RoleName, SecretId, SessionId, UserId
from domain.locale import Locale
from domain.mailbox_proof import prove_new
from domain.permission import Permission
from domain.secret_text import SECRET_BYTES, written
from domain.session_events import AuthMethod, EndReason
from domain.user_events import RegisteredBy, SuspendReason, UserEvent

EVENTS_EACH = 10
EDITOR, READER = RoleName("editor"), Permission("bench.read")
AUDIENCE = AudienceName("bench")
PLAIN = 8
"""People whose number ends so only come back, but for every hundredth: who is measured is one of them at every size."""
SERVICE_TOKEN_TTL = 300
Turn = Callable[[], None]
_AGENTS = ("Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0", "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) Safari/605.1.15")


def address(number: int) -> str:
    return f"person-{number}@example.org"


class World(Struct, frozen=True, kw_only=True):
    """What all people share. `encoded` is the hash of the password that all of them have."""

    ports: Ports
    wrapping: KeyWrapping
    encoded: str

    def __repr__(self) -> str:
        return "World(...)"


class Life(Acting):
    """One person, from their first moment on."""

    session_id: SessionId
    """The newest; there is none before they sign in."""

    def __init__(self, number: int, began: datetime, world: World) -> None:
        super().__init__(Past(began))
        self.number, self.world = number, world
        self.user_id = UserId(self.past.random.uuid7())
        self.of_user = user.stream(self.user_id)
        self.keys = Keys(self.of_user, world.wrapping, self.past)
        self.all_keys = [self.keys]
        self.network = f"198.51.100.{number % 251 + 1}"

    @property
    def events(self) -> int:
        return sum(len(write.events) for made in self.made for write in made.commit.writes)

    @property
    def account(self) -> Account:
        return user.account_of(self.state(user.decider, self.of_user))

    def wait(self, seconds: float) -> None:
        self.past.at += timedelta(seconds=seconds)

    def context(self, *, system: str | None = None, principal: Principal | None = None) -> Context:
        """Without either, of somebody who proves who they are by what they send."""
        return Context(correlation_id=CorrelationId(self.past.random.uuid7()), system=system, principal=principal)

    def themselves(self) -> Context:
        now = int(self.past.at.timestamp())
        principal = Principal(
            user_id=self.user_id, session_id=self.session_id, audience=session.MINOS, roles=self.account.roles, permissions=(),
            auth_time=now, seen_at=now, expires_at=now + self.world.ports.policy.access_token_ttl,
        )  # fmt: skip
        return self.context(principal=principal)

    def command_line(self) -> Context:
        return self.context(system="cli")

    def register(self) -> None:
        """Open an account by the proof of its address."""
        email = address(self.number)
        claim_id = ClaimId(self.past.random.uuid7())
        of_claim = claim.stream(claim_id)
        password = self.keys.seal(SealClass.CREDENTIAL, self.of_user, {"password": self.world.encoded})["password"]
        profile = self.keys.seal(SealClass.PROFILE, self.of_user, {"email": email, "name": f"Person {self.number}"})

        def decide(tx: Transaction) -> None:
            taken = claim.take(tx.state(claim.decider, of_claim), claim_id=claim_id, kind=ClaimKind.EMAIL, user_id=self.user_id, at=tx.at)
            tx.record(claim.decider, of_claim, taken)
            for mac in self.world.ports.macs.claim_candidates(ClaimKind.EMAIL, normalise_email(email)):
                tx.take(mac, of_claim, holder=self.user_id)
            registered = user.register(
                tx.state(user.decider, self.of_user), user_id=self.user_id, email=profile["email"], email_claim=claim_id, username=None,
                username_claim=None, name=profile["name"], password=password, roles=(RoleName(self.world.ports.policy.default_role),),
                registered_by=RegisteredBy.SELF, at=tx.at,
            )  # fmt: skip
            begun = tx.record(user.decider, self.of_user, registered)
            tx.record(user.decider, self.of_user, prove_new(begun, at=tx.at))

        self.act(self.context(), [(user.decider, self.of_user), (claim.decider, of_claim)], decide)

    def sign_in(self) -> None:
        policy, self.session_id = self.world.ports.policy, SessionId(self.past.random.uuid7())
        of_session = session.stream(self.session_id)
        agent = _AGENTS[self.number % len(_AGENTS)]
        origin = self.keys.seal(SealClass.TELEMETRY, of_session, {"network": self.network, "user_agent": agent})

        def decide(tx: Transaction) -> None:
            started = session.start(
                tx.state(session.decider, of_session), session_id=self.session_id, user_id=self.user_id,
                token_epoch=self.account.token_epoch, audiences=(session.MINOS,), client_id=FIRST_PARTY, amr=(AuthMethod.PASSWORD,),
                seed=self.past.random.bytes(32), idle_ttl=policy.refresh_idle_ttl, absolute_ttl=policy.refresh_absolute_ttl,
                network=origin["network"], user_agent=origin["user_agent"], device_name=None, at=tx.at,
            )  # fmt: skip
            tx.record(session.decider, of_session, started)
            self._issue(tx)

        self.act(self.context(), [(session.decider, of_session), (user.decider, self.of_user)], decide)

    def refresh(self) -> None:
        self.act(self.context(), [(session.decider, session.stream(self.session_id)), (user.decider, self.of_user)], self._issue)

    def _issue(self, tx: Transaction) -> None:
        of_session, ports = session.stream(self.session_id), self.world.ports
        issued = session.issue(
            tx.state(session.decider, of_session),
            audience=session.MINOS,
            key_version=ports.mint.refresh_key_version,
            access_ttl=ports.policy.access_token_ttl,
            at=tx.at,
        )
        tx.record(session.decider, of_session, issued)

    def sign_out(self) -> None:
        of_session = session.stream(self.session_id)

        def decide(tx: Transaction) -> None:
            state = tx.state(session.decider, of_session)
            epoch = self.account.token_epoch
            tx.record(session.decider, of_session, session_end.revoke(state, user_epoch=epoch, reason=EndReason.LOGOUT, at=tx.at))

        self.act(self.themselves(), [(session.decider, of_session)], decide)

    def on_account(self, ctx: Callable[[], Context], decide: Callable[..., Sequence[UserEvent]], **given: object) -> None:
        """Have one of the decisions on accounts taken on this one."""

        def on_user(tx: Transaction) -> None:
            tx.record(user.decider, self.of_user, decide(tx.state(user.decider, self.of_user), at=tx.at, **given))

        self.act(ctx(), [(user.decider, self.of_user)], on_user)

    def change_name(self) -> None:
        sealed = self.keys.seal(SealClass.PROFILE, self.of_user, {"name": f"Person {self.number} the second"})
        self.on_account(self.themselves, user.change_profile, name=sealed["name"])

    def make_key(self) -> None:
        key_id, ports = KeyId(self.past.random.uuid7()), self.world.ports
        stream, of_owner = api_key.stream(key_id), key_owner.stream(self.user_id)
        name = self.keys.seal(SealClass.PROFILE, stream, {"name": "backup script"})["name"]
        secret = kept(key_id, new_key_text(key_id, ports.random.bytes(SECRET_BYTES), ports), ports)

        def decide(tx: Transaction) -> None:
            events = api_key.make(
                tx.state(api_key.decider, stream), key_id=key_id, user_id=self.user_id, client_id=None, name=name, audience=session.MINOS,
                permissions=(), secret=secret, ttl=ports.policy.api_key_ttl, at=tx.at,
            )  # fmt: skip
            made = api_key.live(tx.record(api_key.decider, stream, events), at=tx.at)
            listed = key_owner.add(tx.state(key_owner.decider, of_owner), key_id=key_id, expires_at=made.expires_at, at=tx.at)
            tx.record(key_owner.decider, of_owner, listed)

        self.act(self.themselves(), [(api_key.decider, stream), (key_owner.decider, of_owner)], decide)

    def make_service_account(self) -> None:
        client_id = ClientId(f"client_{b32encode(self.past.random.bytes(16)).decode().rstrip('=').lower()}")
        stream, secret_id, macs = client.stream(client_id), SecretId(self.past.random.uuid7()), self.world.ports.macs
        keys = Keys(stream, self.world.wrapping, self.past)
        self.all_keys.append(keys)
        name = keys.seal(SealClass.PROFILE, stream, {"name": f"service {self.number}"})["name"]
        mac = macs.secret(SecretKind.CLIENT_SECRET, client_id, written(PREFIX, self.past.random.bytes(SECRET_BYTES)))

        def decide(tx: Transaction) -> None:
            events = client.register(
                tx.state(client.decider, stream), client_id=client_id, owner_id=self.user_id, name=name, audiences=(AUDIENCE,),
                permissions=(READER,), token_ttl=SERVICE_TOKEN_TTL, at=tx.at,
            )  # fmt: skip
            kept_as = SecretDigest(secret_id=secret_id, digest=mac.digest, key_version=mac.key_version, made_at=tx.at, expires_at=None)
            begun = tx.record(client.decider, stream, events)
            tx.record(client.decider, stream, client.add_secret(begun, secret=kept_as, overlap=0, at=tx.at))

        self.act(self.command_line(), [(client.decider, stream)], decide)


def lived(number: int, began: datetime, world: World) -> Life:
    """Give the whole history of one person: ten events in about half an hour."""
    life = Life(number, began, world)
    life.register()
    life.wait(20)
    life.sign_in()
    before, after = _turns(life)
    for turn in before:
        life.wait(60)
        turn()
    taken = len(after)  # each is one event
    while life.events < EVENTS_EACH - taken:
        life.wait(240)
        life.refresh()
    for turn in after:
        life.wait(60)
        turn()
    return life


def _turns(life: Life) -> tuple[Sequence[Turn], Sequence[Turn]]:
    """Give what this one does besides: before coming back, and in the end, after which no session of theirs lives."""
    n, by_others, alone = life.number, partial(life.on_account, life.command_line), partial(life.on_account, life.themselves)
    grant, revoke = partial(by_others, user.grant_role, role=EDITOR), partial(by_others, user.revoke_role, role=EDITOR)
    suspend = partial(by_others, user.suspend, reason=SuspendReason.ADMINISTRATIVE, note=None)
    rare: Mapping[int, tuple[Sequence[Turn], Sequence[Turn]]] = {
        2: ([grant, revoke], []),
        3: ([life.make_key], []),
        4: ([life.change_name], []),
        6: ([], [suspend]),
        7: ([], [partial(alone, user.sign_out_everywhere)]),
        8: ([partial(alone, user.choose_locale, locale=Locale.DE)], []),
        9: ([], [suspend, partial(by_others, user.reinstate)]),
        12: ([grant, revoke], []),
        13: ([life.make_key], []),
        14: ([life.change_name], []),
        23: ([life.make_service_account] if n % 1_000 == 23 else [], []),
    }
    if n % 100 in rare:
        return rare[n % 100]
    if n % 10 == 1:
        return [grant], []
    return ([life.sign_out, life.sign_in], []) if n % 5 == 0 else ([], [])
