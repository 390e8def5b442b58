"""Once an erasure has begun: their last mail goes, then the person is forgotten everywhere, whoever is killed on the way (ACC-22)."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg
import pytest
from msgspec.structs import replace

from adapters.checkpoint_key import open_signer
from adapters.event_store import PostgresEventStore
from adapters.ports import open_ports
from adapters.postgres_links import Links
from adapters.second_place import FolderPlace, open_second_place
from adapters.vault import PostgresVault
from commands.accept_invitation import AcceptInvitation, accept_invitation, open_invitation
from commands.change_profile import ChangeProfile, change_profile
from commands.enrol_totp import offer_totp
from commands.erase_me import ask_for_erasure
from commands.invitations import Invite, invite
from commands.transact import Read, read_states
from domain import erasure, user
from domain.erasure import Completed
from domain.ids import UserId
from projections.reading import ReadModels
from tests.mail.conftest import ANYBODY, PASSWORD, Office
from tests.mail.test_deleted_accounts import projected
from tests.mail.test_key_ends import made
from workers import eraser
from workers.audit.verify import Asked, Report, verify
from workers.integrator import integrator
from workers.integrator.integrator import Integrator
from workers.leftovers import Leftovers, leftovers
from workers.rebuild import rebuild
from workers.timekeeper import Timekeeper

CLI = replace(ANYBODY, system="cli")
NAME = "Ada Lovelace"


async def settled(office: Office) -> UserId:
    """Somebody with something of every kind."""
    invitation_id = (await invite(Invite(email="ada@example.org", name=NAME), CLI, office.ports)).result.invitation_id
    found = await open_invitation(invitation_id, office.ports)
    assert found is not None
    user_id = (await accept_invitation(AcceptInvitation(token=found.token, password=PASSWORD), ANYBODY, office.ports)).user_id
    ctx = await office.ctx(await office.sign_in())
    await change_profile(ChangeProfile(username="ada"), ctx, office.ports)
    await offer_totp(ctx, office.ports)
    await made(office, user_id, days_ago=1, ends_in_days=80)
    return user_id


async def state_of(office: Office, user_id: UserId) -> tuple[user.User, erasure.Erasure]:
    of_user: Read = (user.decider, user.stream(user_id))
    of_erasure: Read = (erasure.decider, erasure.stream(user_id))
    tx = await read_states(office.ports, [of_user, of_erasure])
    return tx.state(*of_user), tx.state(*of_erasure)


async def left_of(office: Office, user_id: UserId) -> Leftovers:
    """As another process sees it, which remembers no key."""
    async with asyncpg.create_pool(office.database.app_url, min_size=0, max_size=1) as pool, open_ports(office.settings) as opened:
        return await leftovers(user_id, ReadModels(pool), pool, opened.ports)


async def erased(office: Office, user_id: UserId) -> None:
    await worked(office)
    assert isinstance((await state_of(office, user_id))[1], Completed)


async def worked(office: Office) -> None:
    """Let the worker do all it can, with the projector and the mailer between."""
    await office.ports.last_used.flush()  # as it does each 5 seconds; between two steps of the worker lies a minute
    keeper = Timekeeper(office.settings)
    for _ in range(5):
        await projected(office)
        await keeper.step()
        await office.work()


class Killed(BaseException):
    """What no handler of errors sees."""


class Dying:
    """Lets a process die after so many writes."""

    def __init__(self, left: int) -> None:
        self._left = left

    def after(self, patch: pytest.MonkeyPatch, name: str) -> None:
        owner, _, method = name.partition(".")
        of: Any = {"PostgresEventStore": PostgresEventStore, "PostgresVault": PostgresVault, "FolderPlace": FolderPlace}[owner]
        write = getattr(of, method)

        async def writes(*arguments: Any, **named: Any) -> Any:
            done = await write(*arguments, **named)
            self._left -= 1
            if self._left < 0:
                raise Killed
            return done

        patch.setattr(of, method, writes)


async def test_nothing_is_left_that_opens_and_no_row(open_office: Callable[..., Awaitable[Office]]) -> None:
    office = await open_office(erasure_wait=0)
    user_id = await settled(office)
    await projected(office)
    before = await left_of(office, user_id)
    assert before.keys >= 4
    assert before.fields_that_open == before.fields >= 6
    assert before.heads_with_sealed >= 2
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await erased(office, user_id)
    after = await left_of(office, user_id)
    assert after.is_nothing
    assert after.fields >= before.fields
    assert "Your minos account is gone" in office.subjects()


async def test_where_very_many_are_erased_at_once_the_keys_go_later_and_the_rest_does_not_wait(
    open_office: Callable[..., Awaitable[Office]],
) -> None:
    office = await open_office(erasure_wait=0)
    user_id = await settled(office)
    await projected(office)
    await office.owner.execute(
        "INSERT INTO vault.erased_subjects (subject, at_once) SELECT 'user-' || n, true FROM generate_series(1, 100) n"
    )
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await worked(office)
    state, told = await state_of(office, user_id)
    assert isinstance(state, user.Erased)
    assert isinstance(told, erasure.Begun)
    left = await left_of(office, user_id)
    assert left.keys > 0
    assert left.heads_with_sealed == sum(left.rows.values()) == 0
    await office.owner.execute("UPDATE vault.erased_subjects SET erased_at = erased_at - interval '1 hour'")
    await erased(office, user_id)
    assert (await left_of(office, user_id)).is_nothing


async def test_the_last_mail_is_waited_for_where_no_mailer_ever_ran_and_not_for_ever(
    open_office: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    office = await open_office(erasure_wait=0)
    heard, unheard = await settled(office), await office.register("eve@example.org")
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    keeper = Timekeeper(office.settings)
    for _ in range(3):
        await projected(office)
        await keeper.step()
    assert isinstance((await state_of(office, heard))[1], erasure.Begun)
    assert (await left_of(office, heard)).keys > 0
    await erased(office, heard)
    assert office.subjects().count("Your minos account is gone") == 1
    await ask_for_erasure(await office.ctx(await office.sign_in("eve@example.org")), office.ports)
    monkeypatch.setattr(eraser, "FAREWELL_SECONDS", 0)
    await office.ports.last_used.flush()  # or it comes between the sweep and the look at what is left
    for _ in range(3):
        await projected(office)
        await keeper.step()
    assert isinstance((await state_of(office, unheard))[1], Completed)
    await office.work()
    assert office.subjects().count("Your minos account is gone") == 1


async def test_one_whose_names_were_free_before_is_erased_too(open_office: Callable[..., Awaitable[Office]]) -> None:
    """Where the last mail takes longer than the worker's next look, names go first; somebody else may have them by then."""
    office = await open_office(erasure_wait=0)
    user_id = await settled(office)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await office.work()
    keeper = Timekeeper(office.settings)
    for _ in range(2):  # it begins; then the mail is still to go
        await projected(office)
        await keeper.step()
    assert isinstance((await state_of(office, user_id))[0], user.Gone)
    another = await office.register()
    await erased(office, user_id)
    assert (await left_of(office, user_id)).is_nothing
    assert (await office.account(another)).user_id == another
    await office.sign_in()


async def test_whoever_is_killed_on_the_way_what_is_left_is_done_by_the_next(
    open_office: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed after every single write: each time another worker comes, and in the end nothing is left and nothing was written twice."""
    office = await open_office(erasure_wait=0)
    user_id = await settled(office)
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await office.ports.last_used.flush()
    await projected(office)
    await Timekeeper(office.settings).step()
    await office.work()
    writes = ("PostgresEventStore.append", "PostgresVault.destroy_keys_of_erased", "FolderPlace.put")
    death = -1
    while not isinstance((await state_of(office, user_id))[1], Completed):
        death += 1
        assert death < 40
        await projected(office)
        with monkeypatch.context() as patch:
            dying = Dying(death)
            for name in writes:
                dying.after(patch, name)
            with suppress(Killed):
                await Timekeeper(office.settings).step()
    assert death >= 3, "it was killed on the way"
    await projected(office)
    assert (await left_of(office, user_id)).is_nothing
    happened = await office.owner.fetch("SELECT stream FROM events WHERE type LIKE '%.erased.v1' OR type = 'erasure.completed.v1'")
    assert len({row["stream"] for row in happened}) == len(happened) >= 6


async def test_proofs_hold_across_an_erasure_and_read_models_come_out_the_same_rebuilt(
    open_office: Callable[..., Awaitable[Office]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(integrator, "PUBLISH_SECONDS", 0.0)
    office = await open_office(erasure_wait=0)
    user_id = await settled(office)
    await projected(office)
    url, place = office.database.app_url, open_second_place(office.settings)
    links = Links(url)
    signer = await open_signer(links, office.opened.wrapping, office.settings.issuer)
    tree = Integrator(url, signer, place)

    async def checked() -> Report:
        while await tree.step():
            pass
        report = await verify(Asked(url=url, second_place=place))
        assert not report.findings, report.findings
        return report

    before = await checked()
    await ask_for_erasure(await office.ctx(await office.sign_in()), office.ports)
    await erased(office, user_id)
    await projected(office)
    after = await checked()
    assert after.size > before.size
    assert after.checkpoints > before.checkpoints
    for name in ("users", "sessions", "api_keys", "invitations"):
        await rebuild(url, name)
    assert (await left_of(office, user_id)).is_nothing, "in every generation"
    assert (await checked()).root == after.root
    await tree.close()
    await links.close()
