"""The office of the mail tests, for attacks that go by mail."""

from tests.mail.conftest import certificate, office, open_office, start

__all__ = ["certificate", "office", "open_office", "start"]
