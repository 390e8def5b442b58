"""The office of the mail tests, for attacks that go by mail."""

from tests.mail.conftest import certificate, database, furnished, office, open_office, start

__all__ = ["certificate", "database", "furnished", "office", "open_office", "start"]
