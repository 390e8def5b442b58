"""Signs the run in, and in again whenever one of its own requests ended its session."""

import os
from typing import Any

import httpx
import schemathesis


@schemathesis.auth(refresh_interval=None)
class SignedIn:
    """The administrator on a known device, so that refused passwords elsewhere in the run lock nobody out."""

    def __init__(self) -> None:
        self._http = httpx.Client(base_url=os.environ["RUN_URL"])
        self._body = {"email": os.environ["RUN_EMAIL"], "password": os.environ["RUN_PASSWORD"]}
        self._token = "none-yet"

    def get(self, case: Any, context: Any) -> str:
        if self._http.get("/api/v1/auth/session", headers={"Authorization": f"Bearer {self._token}"}).status_code != 200:
            pair = self._http.post("/api/v1/auth/login", json=self._body).raise_for_status().json()
            self._token = pair["access_token"]
            self._body["device_token"] = pair.get("device_token") or self._body.get("device_token", "")
        return self._token

    def set(self, case: Any, data: str, context: Any) -> None:
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {data}"}
