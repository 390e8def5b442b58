"""A real `minos up`, and the application without a socket, as the end-to-end tests and those of the API start them."""

from tests.api.conftest import api_database, api_folder, served
from tests.e2e.conftest import folder, http, running

__all__ = ["api_database", "api_folder", "folder", "http", "running", "served"]
