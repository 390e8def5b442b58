"""How the first administrator is made, and that there is no second way."""

from pathlib import Path

from bench.running import Running
from tests.e2e.conftest import SMALL
from tests.e2e.people import PASSWORD, Person, address, client_of


async def test_code_that_start_up_prints_makes_the_first_administrator_once(own_folder: Path) -> None:
    async with Running(own_folder, **SMALL) as running, client_of(running) as http:
        wish = {"code": running.bootstrap_code, "email": address(), "password": PASSWORD}
        wrong = await http.post("/api/v1/bootstrap", json=wish | {"code": "AAAA-BBBB-CCCC"})
        assert (wrong.status_code, wrong.json()["code"]) == (403, "bootstrap_code_invalid")
        assert (await http.post("/api/v1/bootstrap", json=wish)).status_code == 201
        admin = await Person(http, wish["email"]).sign_in()
        assert set((await admin.get("/me")).json()["roles"]) == {"admin", "user"}
        again = await http.post("/api/v1/bootstrap", json=wish | {"email": address()})
        assert (again.status_code, again.json()["code"]) == (410, "bootstrap_closed")
        refused = await running.minos("admin", "create", "--email", address(), "--password-stdin", given=PASSWORD + "\n")
        assert (refused.code, refused.err) == (2, "minos: The first administrator already exists.\n")
        forced = await running.minos("admin", "create", "--email", address(), "--password-stdin", "--force", given=PASSWORD + "\n")
        assert forced.code == 0, forced.err


async def test_command_line_makes_the_first_administrator_and_the_code_is_void(own_folder: Path) -> None:
    async with Running(own_folder, **SMALL) as running, client_of(running) as http:
        email = address()
        made = await running.minos("admin", "create", "--email", email, "--password-stdin", given=PASSWORD + "\n")
        assert made.code == 0, made.err
        admin = await Person(http, email).sign_in()
        assert (await admin.get("/users")).status_code == 200
        wish = {"code": running.bootstrap_code, "email": address(), "password": PASSWORD}
        assert (await http.post("/api/v1/bootstrap", json=wish)).status_code == 410
        await running.stop()
        await running.start()
        assert "bootstrap code" not in running.printed


async def test_command_line_takes_the_code_and_then_the_password_from_standard_input(own_folder: Path) -> None:
    async with Running(own_folder, **SMALL) as running, client_of(running) as http:
        email = address()
        create = ("admin", "create", "--email", email, "--code", "--password-stdin")
        for wrong in ("AAAA-BBBB-CCCC", ""):
            refused = await running.minos(*create, given=f"{wrong}\n{PASSWORD}\n")
            assert (refused.code, refused.err) == (2, "minos: The bootstrap code is wrong, used up or expired.\n")
        made = await running.minos(*create, given=f"{running.bootstrap_code}\n{PASSWORD}\n")
        assert made.code == 0, made.err
        admin = await Person(http, email).sign_in()
        assert (await admin.get("/users")).status_code == 200
