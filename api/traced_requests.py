"""The span of a request, around all there is to answering it. Where tracing is off this layer is not there."""

from typing import Any

from adapters.telemetry.spans import Spans
from api.asgi import App, Message, Receive, Scope, Send
from api.incoming import METHODS

TRACE_ID = "minos.trace_id"
"""Where in the scope the trace is named, for the log."""
_UNEXPECTED = 500
"""The one status nobody chose: what should never happen. The other 5xx are refusals."""


class TracedRequests:
    """For `http` scopes only. Tells the route's template, which holds no id; nothing of a query, a header field or a body."""

    def __init__(self, app: App, spans: Spans) -> None:
        self._app = app
        self._spans = spans

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = scope["method"] if scope["method"] in METHODS else None
        name, parent = method or "HTTP", dict(scope["headers"]).get(b"traceparent")
        with self._spans.request(name, {"http.request.method": method or "_OTHER"}, traceparent=parent) as span:
            scope[TRACE_ID] = self._spans.trace_id(span)

            async def sending(message: Message) -> None:
                if message["type"] == "http.response.start":
                    self._answered(span, message["status"])
                await send(message)

            try:
                await self._app(scope, receive, sending)
            finally:
                if (route := scope.get("path_template")) is not None:  # found on the way
                    span.set_attribute("http.route", route)
                    span.update_name(f"{name} {route}")

    def _answered(self, span: Any, status: int) -> None:
        span.set_attribute("http.response.status_code", status)
        if status == _UNEXPECTED:
            self._spans.fail(span, str(status))
