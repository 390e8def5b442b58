"""Every hot command and query, as it is asked over HTTP: which texts go out, and how many a second."""

from collections.abc import Callable, Sequence
from secrets import token_hex

from msgspec import Struct

from bench.growth.lives import EDITOR, READER
from bench.growth.site import LIST, Site
from bench.load import Plan, form_request, request
from bench.over_http import PASSWORD

READS, COMMANDS, HASHES = 150.0, 60.0, 6.0
"""A second: moderate, so that what is measured is an answer and no queue. A hash takes a core tens of milliseconds."""
CONNECTIONS = 12
Texts = Callable[[Site], Sequence[str]]


class Call(Struct, frozen=True, kw_only=True):
    """One kind of request. `texts` are sent in turn; with `refreshed`, people who just signed in send the first one with their token."""

    key: str
    title: str
    per_second: float
    texts: Texts
    refreshed: bool = False

    async def plan(self, site: Site, seconds: float) -> Plan:
        """`seconds` are doubled for what is asked rarely."""
        longer = seconds * (2 if self.per_second <= HASHES else 1)
        texts = list(self.texts(site))
        if self.refreshed:
            tokens = [person.refresh_token for person in await site.newcomers(CONNECTIONS)]
            return Plan(port=site.port, requests=texts * CONNECTIONS, tokens=tokens, seconds=longer, per_second=self.per_second)
        return Plan(port=site.port, requests=texts, connections=min(CONNECTIONS, len(texts)), seconds=longer, per_second=self.per_second)


def _own(path: str) -> Texts:
    return lambda site: [request("GET", path, token=person.access_token) for person in site.people]


def _of_users(path: str) -> Texts:
    return lambda site: [request("GET", path.format(each), token=site.admins_token) for each in site.strangers]


def _checks(site: Site) -> Sequence[str]:
    body = {"permission": READER}
    return [request("POST", "/api/v1/permissions/check", body=body, token=person.access_token) for person in site.people]


def _introspections(site: Site) -> Sequence[str]:
    return [form_request("/oauth2/introspect", {"token": site.service_token}, basic=site.basic)] * CONNECTIONS


def _sign_ins(site: Site) -> Sequence[str]:
    return [_with_password("login", site.somebody()) for _ in site.strangers]


def _registrations(site: Site) -> Sequence[str]:
    return [_with_password("register", f"newcomer-{token_hex(6)}@example.org") for _ in site.strangers]


def _with_password(what: str, email: str) -> str:
    return request("POST", f"/api/v1/auth/{what}", body={"email": email, "password": PASSWORD})


def _roles(site: Site) -> Sequence[str]:
    """Give and take away, so that each does something: to a connection both of one user come, one after the other."""
    texts: list[str] = []
    for start in range(0, len(site.strangers) - CONNECTIONS + 1, CONNECTIONS):
        for method in ("PUT", "DELETE"):
            paths = [f"{LIST}/{each}/roles/{EDITOR}" for each in site.strangers[start : start + CONNECTIONS]]
            texts += [request(method, path, token=site.admins_token) for path in paths]
    return texts


def _searches(site: Site) -> Sequence[str]:
    return [request("GET", f"{LIST}?search={site.somebody()}", token=site.admins_token) for _ in site.strangers]


def _deep(site: Site) -> Sequence[str]:
    return [request("GET", f"{LIST}?cursor={cursor}", token=site.admins_token) for cursor in site.cursors]


def _who_could(site: Site) -> Sequence[str]:
    moments = [site.chance.randrange(site.size // 10, site.size) for _ in site.strangers]
    return [request("GET", f"/api/v1/audit/at?time=position:{each}&who_can={READER}", token=site.admins_token) for each in moments]


def _first_page(site: Site) -> Sequence[str]:
    return [request("GET", LIST, token=site.admins_token)] * CONNECTIONS


CALLS: Sequence[Call] = (
    Call(key="session", title="GET /auth/session", per_second=READS, texts=_own("/api/v1/auth/session")),
    Call(key="me", title="GET /me", per_second=READS, texts=_own("/api/v1/me")),
    Call(key="check", title="POST /permissions/check", per_second=READS, texts=_checks),
    Call(key="introspect", title="introspection of a service token", per_second=READS, texts=_introspections),
    Call(key="refresh", title="refresh", per_second=COMMANDS, refreshed=True,
         texts=lambda _: [request("POST", "/api/v1/auth/refresh", body={"refresh_token": "<refresh>"})]),
    Call(key="sign_in", title="sign-in", per_second=HASHES, texts=_sign_ins),
    Call(key="register", title="register", per_second=HASHES, texts=_registrations),
    Call(key="role", title="role granted or revoked", per_second=COMMANDS, texts=_roles),
    Call(key="user", title="one user", per_second=READS, texts=_of_users(f"{LIST}/{{}}")),
    Call(key="sessions", title="sessions of a user", per_second=READS, texts=_of_users(f"{LIST}/{{}}/sessions")),
    Call(key="history", title="history of a user", per_second=READS, texts=_of_users(f"{LIST}/{{}}/history")),
    Call(key="users", title="users, first page", per_second=COMMANDS, texts=_first_page),
    Call(key="users_deep", title="users, a page in the middle", per_second=COMMANDS, texts=_deep),
    Call(key="search", title="users, search by address", per_second=COMMANDS, texts=_searches),
    Call(key="audit", title="audit events of a user", per_second=COMMANDS, texts=_of_users("/api/v1/audit/events?user_id={}")),
    Call(key="who_could", title="audit, who could do it then", per_second=COMMANDS, texts=_who_could),
)  # fmt: skip
