"""Wrappers that note which calls are made of the real thing behind them, in order, and nothing of what is said."""

from typing import Any


class Recording:
    """Stands before any port; every awaited or plain call is noted as `port.method`, with how much was asked for."""

    def __init__(self, name: str, inner: Any, calls: list[str]) -> None:
        self._name, self._inner, self._calls = name, inner, calls

    def __getattr__(self, method: str) -> Any:
        found = getattr(self._inner, method)
        if not callable(found):
            return found

        def noted(*arguments: Any, **named: Any) -> Any:
            size = len(arguments[0]) if arguments and isinstance(arguments[0], list | tuple) else ""
            self._calls.append(f"{self._name}.{method}({size})")
            return found(*arguments, **named)

        return noted
