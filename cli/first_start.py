"""What must be there before the API and the workers may start: the schema, the first keys, a way to the first administrator."""

from adapters import master_key
from adapters.ports import open_ports
from adapters.secrets_store import has_keys
from adapters.settings import Settings
from adapters.subject_keks import say_backup_days
from cli.database import connect
from commands.audiences import register_audiences
from commands.bootstrap import is_bootstrapped
from commands.context import Context
from commands.define_role import define_built_in_roles
from commands.signing_keys import ensure_signing_keys
from domain.ids import AudienceName, CorrelationId
from domain.signing_key import Algorithm
from migrations import runner
from workers import desk


async def prepare(settings: Settings, *, owner_url: str) -> str | None:
    """Migrate as the owner, then make as the serving role what is missing. Gives a bootstrap code while there is no administrator.

    Everything may be repeated and is quick when nothing is missing. The code goes to a person; never log it. Raises
    NoMasterKey when the master key of a database that was begun is lost.
    """
    connection = await connect(owner_url)
    try:
        await runner.migrate(connection)
        await say_backup_days(connection, settings.backup_days)
        if master_key.is_missing(settings) and await has_keys(connection):
            raise master_key.lost(settings)
    finally:
        await connection.close(timeout=5)
    master_key.make_missing(settings)
    return await furnish(settings, with_code=True)


async def furnish(settings: Settings, *, with_code: bool) -> str | None:
    """Make, in a migrated database, the tables of the read models, the built-in roles, the audiences of the
    settings and the first signing keys.

    Gives a new bootstrap code, if wanted, while there is no administrator. Raises NoMasterKey, StoreUnavailable.
    """
    if settings.database_url is not None:
        await desk.ensure(settings.database_url.reveal())
    async with open_ports(settings) as opened:
        context = Context(correlation_id=CorrelationId(opened.ports.random.uuid7()), system="cli")
        await define_built_in_roles(context, opened.ports)
        await register_audiences(map(AudienceName, settings.audiences), context, opened.ports)
        await ensure_signing_keys(Algorithm(settings.signing_algorithm), context, opened.ports)
        if not with_code or await is_bootstrapped(opened.ports):
            return None
        return await opened.ports.bootstrap.issue()
