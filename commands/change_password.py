"""A signed-in user chooses a new password: every other session ends in the same append."""

from msgspec import Struct

from commands.choose_password import check_new_password, check_unused, destroy_left, sealed_password
from commands.context import Context
from commands.factor_policy_head import POLICY_READ
from commands.ports import Ports
from commands.prove_password import prove_password
from commands.read_profile import open_profile
from commands.register_user import PasswordText
from commands.revoke_session import keep_session, next_pair, required
from commands.standing import require_standing, standing_reads
from commands.step_up import require_factor_besides
from commands.token_answer import SignedIn
from commands.transact import Done, Transaction, transact
from domain import user, user_password
from domain.account import Account
from domain.errors import InvalidCredentials
from domain.session_state import Live
from domain.user import account_of


class ChangePassword(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    current_password: PasswordText
    new_password: PasswordText

    def __repr__(self) -> str:
        return "ChangePassword(...)"


async def change_password(command: ChangePassword, ctx: Context, ports: Ports) -> Done[SignedIn]:
    """Answer with a new pair for this session.

    Raises ReauthenticationRequired, StrongerFactorRequired, InvalidCredentials, PasswordUnacceptable, Overloaded.
    """
    principal = await require_factor_besides(required(ctx), ports)
    account = await prove_password(command.current_password, principal, ctx, ports)
    texts = await open_profile(account, ports)
    await check_new_password(command.new_password, texts.email, texts.username, texts.name, ctx=ctx, ports=ports)
    await check_unused(command.new_password, account, ctx, ports)
    of_user = user.stream(principal.user_id)
    password = await sealed_password(command.new_password, of_user, ctx, ports)

    def decide(tx: Transaction) -> tuple[Live, Account]:
        _, now = require_standing(tx, principal)
        if now.password_version != account.password_version:
            raise InvalidCredentials
        state = tx.state(user.decider, of_user)
        events = user_password.change_password(state, password=password, remembered=ports.policy.password_history, at=tx.at)
        changed = account_of(tx.record(user.decider, of_user, events))
        return keep_session(tx, principal, changed, ports), changed

    done = await transact(ports, ctx, standing_reads(principal), decide, glance=[POLICY_READ])
    await destroy_left(of_user, ports)
    return await next_pair(done, ports)
