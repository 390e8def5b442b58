"""People who read their mail, and the steps they go through with codes in it."""

from dataclasses import dataclass
from uuid import UUID

from adapters.memory_mailbox import MemoryMailbox
from commands.context import Context
from commands.mailed_codes import EnableMailedCodes, enable_mailed_codes, offer_mailed_codes
from commands.ports import Letter
from commands.transact import transact
from domain import user
from domain.ids import UserId
from domain.user_events import EmailVerified
from tests.commands.world import SYSTEM, World


@dataclass
class Reader:
    """Whoever reads the mailbox of an account."""

    world: World
    user_id: UserId
    recovery_codes: tuple[str, ...] = ()

    @property
    def mailbox(self) -> MemoryMailbox:
        mailbox = self.world.ports.mailbox
        assert isinstance(mailbox, MemoryMailbox)
        return mailbox

    @property
    def letters(self) -> list[Letter]:
        return [letter for letter, to in self.mailbox.asked if to == self.user_id]

    def code(self) -> str:
        """Read the code of the newest letter."""
        code_id = self.mailbox.about[-1]
        assert isinstance(code_id, UUID)
        return self.world.ports.mail_codes.code(code_id, self.user_id)

    def wrong_code(self) -> str:
        return "000000" if self.code() != "000000" else "111111"


async def reader(world: World, name: str = "ada") -> tuple[Context, Reader]:
    """Register somebody, prove their address, and sign them in."""
    user_id = await world.register(name)
    await prove_address(world, user_id)
    return await world.ctx(await world.sign_in(name)), Reader(world, user_id)


async def prove_address(world: World, user_id: UserId) -> None:
    stream, account = user.stream(user_id), await world.account(user_id)
    event = EmailVerified(user_id=user_id, email_claim=account.email_claim, at=world.clock.now)
    await transact(world.ports, SYSTEM, [(user.decider, stream)], lambda tx: tx.record(user.decider, stream, [event]))


async def enabled(ctx: Context, mail: Reader) -> Reader:
    """Turn mailed codes on."""
    asked = await offer_mailed_codes(ctx, mail.world.ports)
    done = await enable_mailed_codes(EnableMailedCodes(challenge=asked.challenge, code=mail.code()), ctx, mail.world.ports)
    mail.recovery_codes = done.result.recovery_codes
    return mail
