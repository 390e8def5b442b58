"""MinosClient for code without a loop: the same calls by the same plans. Threads may share one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Self

import httpx

from minos_sdk import calls
from minos_sdk.answers_of_minos import FactorRequired, TokenPair, Verdict
from minos_sdk.call_errors import SignedOut
from minos_sdk.drivers import SyncDriver
from minos_sdk.held import Ending, SyncHeld
from minos_sdk.steps import Answered, Plan, Retries, granted


class SyncMinosClient:
    """As `MinosClient`, and each call returns when it is done."""

    def __init__(
        self,
        url: str,
        *,
        audience: str | None = None,
        tokens: TokenPair | None = None,
        on_tokens: Callable[[TokenPair | None], None] | None = None,
        retries: Retries | None = None,
        http: httpx.Client | None = None,
    ) -> None:
        calls.check_client(audience, tokens, on_tokens, retries)
        self._driver = SyncDriver(url, http, name="url")
        self._audience = audience
        self._on_tokens = on_tokens
        self._retries = retries or Retries()
        self._held = SyncHeld(self._refresh)
        if tokens is not None:
            self._held.put(calls.of_before(tokens))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        held = self._held.held
        return f"SyncMinosClient({'nobody' if held is None else held.value.session_id})"

    @property
    def tokens(self) -> TokenPair | None:
        """The newest pair, of whatever age; None when nobody is signed in."""
        held = self._held.held
        return None if held is None else held.value

    def login(
        self, *, password: str, email: str | None = None, username: str | None = None, device_name: str | None = None,
        device_token: str | None = None,
    ) -> TokenPair | FactorRequired:  # fmt: skip
        """Raises CallRefused `invalid_credentials`, whatever is wrong. Never tried twice."""
        names = calls.named(
            password=password, email=email, username=username, device_name=device_name, device_token=device_token, audience=self._audience
        )
        return self._taken(self._driver.run(calls.login(names, self._retries)))

    def complete_login(self, asked: FactorRequired, *, factor: str, code: str) -> TokenPair | FactorRequired:
        """Show a second factor. Raises CallRefused `invalid_factor`, and others."""
        return self._taken(self._driver.run(calls.complete_login(asked.challenge, factor, code, self._retries)))

    def token(self) -> str:
        """Give an access token that has not ended. Raises SignedOut, Unreachable."""
        return self._held.get().access_token

    def refresh(self) -> TokenPair:
        """Take the next pair now. Raises SignedOut, Unreachable."""
        return self._held.renewed().value

    def logout(self, *, everywhere: bool = False) -> None:
        """End the session, or all of this person. The tokens here are forgotten once Minos has agreed."""
        self._driver.run(calls.logout(self.token(), everywhere=everywhere, retries=self._retries))
        self._put(None)

    def request(
        self, method: str, path: str, *, json: object = None, query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None, repeatable: bool = False,
    ) -> Any:  # fmt: skip
        """Call `path` as this person, and give the JSON of the answer. `repeatable` makes a POST that creates safe to ask again.

        Raises CallRefused, SignedOut, Unreachable.
        """
        return granted(
            self._call(
                lambda bearer: calls.request(
                    method, path, bearer, self._retries, body=json, query=query, headers=headers, repeatable=repeatable
                )
            )
        )

    def pages(self, path: str, *, limit: int = 100, query: Mapping[str, Any] | None = None) -> Iterator[dict[str, Any]]:
        """Give what is in a list, one by one, however many pages it has."""
        cursor: str | None = None
        while True:
            page = self.request("GET", path, query={**(query or {}), "limit": limit, "cursor": cursor})
            yield from page["data"]
            cursor = page["next_cursor"]
            if cursor is None:
                return

    def check_permission(self, permission: str, *, audience: str | None = None, resource: str | None = None) -> Verdict:
        """May this person do it, now? Answered by Minos on the roles of this moment."""
        return self.check_permissions([calls.named(permission=permission, audience=audience, resource=resource)])[0]

    def check_permissions(self, questions: Sequence[Mapping[str, str]]) -> Sequence[Verdict]:
        """Several, up to 100, answered in their order."""
        return calls.verdicts(granted(self._call(lambda bearer: calls.check(questions, bearer, self._retries))))

    def action_token(self, action: str, *, method: str, path: str, body: bytes | None = None) -> str:
        """Get a token that is good once, for this very request to the service that `action` names. Raises CallRefused
        `reauthentication_required`."""
        wanted = {"action": action, **calls.bound(method, path, body)}
        return str(self.request("POST", "/api/v1/auth/action-tokens", json=wanted)["action_token"])

    def close(self) -> None:
        self._driver.close()

    def _call(self, make: Callable[[str], Plan[Answered]]) -> Answered:
        """Once more with a new token, where a call was refused for its token alone: then nothing was done."""
        pair = self._held.get()
        answer = self._driver.run(make(pair.access_token))
        if calls.is_refused_token(answer):
            renewed = self._held.renewed(instead_of=pair)
            answer = self._driver.run(make(renewed.value.access_token))
        return answer

    def _refresh(self, held: Ending[TokenPair] | None) -> Ending[TokenPair]:
        try:
            new = self._driver.run(calls.refresh(held, self._audience))
        except SignedOut:
            if held is not None and self._held.held is held:
                self._put(None)
            raise
        if self._held.held is held:  # nobody signed out or in meanwhile
            self._put(new)
        return new

    def _taken(self, answer: TokenPair | FactorRequired) -> TokenPair | FactorRequired:
        if isinstance(answer, TokenPair):
            self._put(calls.of_now(answer))
        return answer

    def _put(self, pair: Ending[TokenPair] | None) -> None:
        self._held.put(pair)
        if self._on_tokens is not None:
            self._on_tokens(None if pair is None else pair.value)
