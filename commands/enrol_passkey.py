"""A passkey is made on somebody's device, and counts once its first signature was verified."""

import asyncio
from typing import Any

from msgspec import Struct

from commands.context import Context
from commands.enrol_totp import Enrolled
from commands.enrolling import Enroller, oneself
from commands.ports import Attestation, PasskeyOffer, Ports
from commands.read_profile import open_profile
from commands.recovery_codes import FreshCodes, fresh_codes, record_first_codes
from commands.register_user import NameText
from commands.show_passkey import Credential, open_credential
from commands.sign_in_challenge import LIFE, ChallengeText, require_young
from commands.transact import Done, Transaction, read_states, spend_action, transact
from domain import factors, user
from domain.errors import InvalidChallenge, InvalidFactor
from domain.event import SealClass, Sealed
from domain.factor_state import Factors
from domain.ids import FactorId, UserId


class RegisterPasskey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    challenge: ChallengeText
    attestation: Attestation
    name: NameText | None = None

    def __repr__(self) -> str:
        return "RegisterPasskey(...)"


class RenameFactor(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: NameText

    def __repr__(self) -> str:
        return "RenameFactor(...)"


class OfferedPasskey(Struct, frozen=True, kw_only=True):
    """`options` are for `navigator.credentials.create()`; the challenge comes back with what that gives, within `expires_in` seconds."""

    challenge: str
    options: dict[str, Any]
    expires_in: int = LIFE

    def __repr__(self) -> str:
        return "OfferedPasskey(...)"


async def offer_passkey(ctx: Context, ports: Ports) -> OfferedPasskey:
    """Raises ReauthenticationRequired, ActionTokenUsed. Nothing is stored of the offer."""
    await spend_action(ctx, ports)
    return await offer_passkey_to(oneself(ctx), ports)


async def offer_passkey_to(who: Enroller, ports: Ports) -> OfferedPasskey:
    tx = await read_states(ports, who.reads)
    texts = await open_profile(who.require(tx), ports)
    offer = PasskeyOffer(user_id=who.user_id, factor_id=FactorId(ports.random.uuid7()), at=tx.at)
    token = ports.challenges.seal(offer)
    options = ports.passkeys.creation_options(
        token,
        user_handle=who.user_id.bytes,
        name=texts.username or texts.email or str(who.user_id),
        known=await _known(who.state(tx), who.user_id, ports),
    )
    return OfferedPasskey(challenge=token, options=options)


async def register_passkey(command: RegisterPasskey, ctx: Context, ports: Ports) -> Done[Enrolled]:
    """Raises InvalidChallenge, InvalidFactor, TooManyFactors, ReauthenticationRequired."""
    who = oneself(ctx)
    made = await made_passkey(command, who, ports)
    return await transact(ports, ctx, who.reads, lambda tx: made.decide(tx, who))


class MadePasskey(Struct, frozen=True, kw_only=True):
    """A verified key, sealed, before anything is decided: a decision is pure."""

    offer: PasskeyOffer
    credential: Sealed
    sign_count: int
    name: Sealed | None
    codes: FreshCodes

    def decide(self, tx: Transaction, who: Enroller) -> Enrolled:
        who.require(tx)
        require_young(self.offer.at, tx)
        registered = factors.register_passkey(
            who.state(tx),
            user_id=who.user_id,
            factor_id=self.offer.factor_id,
            credential=self.credential,
            sign_count=self.sign_count,
            name=self.name,
            at=tx.at,
        )
        tx.record(factors.decider, who.stream, registered)
        return Enrolled(factor_id=self.offer.factor_id, recovery_codes=record_first_codes(tx, who, self.codes))


async def made_passkey(command: RegisterPasskey, who: Enroller, ports: Ports) -> MadePasskey:
    tx = await read_states(ports, who.reads)
    who.require(tx)
    offer = ports.challenges.open(command.challenge)
    if not isinstance(offer, PasskeyOffer) or offer.user_id != who.user_id:
        raise InvalidChallenge
    require_young(offer.at, tx)
    made = await ports.passkeys.made(command.attestation, token=command.challenge)
    if made is None or made.credential_id in await _known(who.state(tx), who.user_id, ports):
        raise InvalidFactor
    credential = Credential(credential_id=made.credential_id, public_key=made.public_key)
    return MadePasskey(
        offer=offer,
        credential=await _sealed(who, SealClass.CREDENTIAL, "credential", credential.text, ports),
        sign_count=made.sign_count,
        name=None if command.name is None else await _sealed(who, SealClass.PROFILE, "name", command.name, ports),
        codes=await fresh_codes(who.user_id, ports),
    )


async def rename_factor(factor_id: FactorId, command: RenameFactor, ctx: Context, ports: Ports) -> Done[None]:
    """Raises NoSuchFactor. Gives nobody a right, so it asks for no proof."""
    who = oneself(ctx)
    name = await _sealed(who, SealClass.PROFILE, "name", command.name, ports)

    def decide(tx: Transaction) -> None:
        who.standing(tx)
        renamed = factors.rename(who.state(tx), user_id=who.user_id, factor_id=factor_id, name=name, at=tx.at)
        tx.record(factors.decider, who.stream, renamed)

    return await transact(ports, ctx, who.reads, decide)


async def _known(enrolled: Factors, user_id: UserId, ports: Ports) -> tuple[str, ...]:
    opened = await asyncio.gather(*(open_credential(passkey, user_id, ports) for passkey in enrolled.passkeys))
    return tuple(credential.credential_id for credential in opened if credential is not None)


async def _sealed(who: Enroller, seal_class: SealClass, field: str, text: str, ports: Ports) -> Sealed:
    sealed = await ports.vault.seal(
        subject=user.stream(who.user_id),
        seal_class=seal_class,
        stream=who.stream,
        fields={field: text},
        fresh=seal_class is SealClass.CREDENTIAL,
    )
    return sealed[field]
