"""A signed-in user shows the password again. Wrong ones are counted and locked as at sign-in, on a counter of their own, of
which each session has its part: who guesses with a stolen one does not keep the owner from proving it in theirs."""

from commands.context import Context, Principal
from commands.ports import AttemptOutcome, Ports
from commands.transact import read_states
from domain import user
from domain.account import Account
from domain.errors import InvalidCredentials, InvalidToken, Overloaded
from domain.event import Erased
from domain.user import Active


async def prove_password(password: str, principal: Principal, ctx: Context, ports: Ports) -> Account:
    """Give the account the password was right for. Raises InvalidCredentials, InvalidToken, Overloaded."""
    account, usable = await _opened(principal, ports)  # before the attempt counts, as at sign-in
    if usable is None:  # a sign-in has just put a stronger hash in its place
        account, usable = await _opened(principal, ports)
    name_mac = ports.macs.login_name(f"user:{principal.user_id}")
    session_mac = ports.macs.device(principal.session_id)
    reading = await ports.guard.admit(name_mac, device_mac=session_mac)
    if not reading.may_try:
        raise InvalidCredentials  # without a hash: that there is an account is no secret here, and a lock is to spare the hashers
    try:
        verified = await ports.hasher.verify(usable, password, account=principal.user_id, network=ctx.network)
    except Overloaded:
        await ports.guard.take_back(name_mac, reading=reading)
        raise
    if not verified.matches:
        await ports.guard.refused(name_mac, user_id=principal.user_id, outcome=AttemptOutcome.WRONG_PASSWORD, known_device=True)
        raise InvalidCredentials
    await ports.guard.forgive(name_mac, device_mac=session_mac)
    return account


async def _opened(principal: Principal, ports: Ports) -> tuple[Account, str | None]:
    of_user = user.stream(principal.user_id)
    state = (await read_states(ports, [(user.decider, of_user)])).state(user.decider, of_user)
    if not isinstance(state, Active) or state.account.password is None:
        raise InvalidToken
    encoded = await ports.vault.open(state.account.password, stream=of_user, field="password")
    return state.account, None if isinstance(encoded, Erased) else encoded
