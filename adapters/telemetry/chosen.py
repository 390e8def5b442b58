"""Which of traces, metrics and logs go out over OTLP: what the standard environment variables say, and no setting of ours.

The variables that say where to, with which header fields and how often are read by the library itself.
"""

import os
import socket
from collections.abc import Iterable, Mapping
from enum import StrEnum
from importlib import import_module
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

_PROTOCOL = "http/protobuf"


class Signal(StrEnum):
    TRACES = "traces"
    METRICS = "metrics"
    LOGS = "logs"


class NoTelemetry(Exception):
    """What OTEL_* variables ask for cannot be had. The message names the variable and what to do; it holds no address."""


def wanted(signal: Signal, environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether a signal is to be sent: an endpoint is named, or `otlp` as its exporter. Raises NoTelemetry."""
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    name = f"OTEL_{signal.upper()}_EXPORTER"
    exporter = environ.get(name, "").strip()
    if exporter not in {"", "otlp", "none"}:
        raise NoTelemetry(f"{name} is neither `otlp` nor `none`, and Minos sends in no other way")
    endpoints = ("OTEL_EXPORTER_OTLP_ENDPOINT", f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT")
    if exporter == "none" or not (exporter or any(environ.get(endpoint) for endpoint in endpoints)):
        return False
    _refuse_no_address(endpoints, environ)
    for variable in (f"OTEL_EXPORTER_OTLP_{signal.upper()}_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"):
        if chosen := environ.get(variable, "").strip():
            if chosen != _PROTOCOL:
                raise NoTelemetry(f"{variable} is not {_PROTOCOL}, all that Minos speaks: name the collector's port for that, often 4318")
            break
    return True


def _refuse_no_address(variables: Iterable[str], environ: Mapping[str, str]) -> None:
    """The library would take anything, and say of each export that it failed. Raises NoTelemetry."""
    for variable in variables:
        if (address := environ.get(variable, "").strip()) and not _is_address(address):
            raise NoTelemetry(f"{variable} is no http or https URL of a collector, as http://127.0.0.1:4318")


def _is_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # as of a port that there is not
        return False


def library(name: str) -> Any:
    """Load a part of the `otel` extra, which type checkers need not have. Raises NoTelemetry."""
    try:
        return import_module(name)
    except ImportError as error:
        raise NoTelemetry("OTEL_* variables ask for OpenTelemetry: install the extra `minos[otel]`, or unset them") from error


def resource() -> Any:
    """Say who sends: `minos` of this version in this process, unless OTEL_SERVICE_NAME or OTEL_RESOURCE_ATTRIBUTES say otherwise."""
    resources = library("opentelemetry.sdk.resources")
    ours = {"service.name": "minos", "service.version": version("minos"), "service.instance.id": f"{socket.gethostname()}:{os.getpid()}"}
    return resources.Resource.create().merge(resources.Resource(ours)).merge(resources.OTELResourceDetector().detect())
