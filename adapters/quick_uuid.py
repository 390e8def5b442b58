"""The UUID that asyncpg gives and takes: a `uuid.UUID` to everybody, made and written out in a tenth of the time.

For ids that are made or read with every request; a token pair alone writes six.
"""

from asyncpg.pgproto.pgproto import UUID as QuickUuid  # noqa: N811 - two classes of one name

__all__ = ["QuickUuid"]
