"""deploy/helm/minos/values.schema.json: Helm refuses values of a setting that there is not, and secrets among those that are none."""

import json
from typing import Any

from adapters.settings_table import PREFIX, SETTINGS, Setting

PATHS = ("NATS_CREDENTIALS", "SMTP_CA_FILE", "TRANSIT_CA_FILE", "TRANSIT_TOKEN_PATH", "LOG_POLICY", "LIMITS_FILE", "ATTRIBUTES_FILE")
"""Settings that name a file: the chart mounts one."""

SENT = "^OTEL_EXPORTER_OTLP_([A-Z]+_)?HEADERS$"
"""Variables with what proves to a collector who we are: from a Secret, as everything of that kind."""

Schema = dict[str, Any]

TEXT: Schema = {"type": "string", "minLength": 1}
ANY_TEXT: Schema = {"type": "string"}
WHOLE: Schema = {"type": "integer", "minimum": 0}
FLAG: Schema = {"type": "boolean"}
OPEN: Schema = {"type": "object"}
"""What Kubernetes itself says more of."""


def page() -> str:
    names = {setting.name.removeprefix(PREFIX): setting for setting in SETTINGS}
    secret = {name for name, setting in names.items() if setting.secret}
    key_of = _closed({"name": TEXT, "key": TEXT}, all_needed=True)
    secrets = {"type": "object", "propertyNames": {"enum": sorted(secret)}, "additionalProperties": key_of}
    plain = {name: _accepts(setting) for name, setting in sorted(names.items()) if name not in secret and name not in PATHS}
    storage = _closed({"existingClaim": ANY_TEXT})
    schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$comment": "Made from the code by `python -m docs.generate`; edits here are lost.",
        **_closed(
            {
                "image": _closed(
                    {
                        "repository": TEXT,
                        "tag": ANY_TEXT,
                        "digest": _like("^(sha256:[0-9a-f]{64})?$"),
                        "pullPolicy": _one("Always", "IfNotPresent", "Never"),
                        "pullSecrets": _list(TEXT),
                    }
                ),
                "settings": _closed(plain),
                "secrets": _closed(dict.fromkeys(("all", "api", "worker", "migrate"), secrets)),
                "files": {"type": "object", "propertyNames": {"enum": sorted(PATHS)}, "additionalProperties": _mounted()},
                "externalSecrets": _closed(
                    {"store": OPEN, "refreshInterval": TEXT, "secrets": _list(_closed({"name": TEXT, "data": OPEN}, all_needed=True))}
                ),
                "storage": _closed({"keys": storage, "secondPlace": storage}),
                **_parts(),
                "service": _closed({"type": _one("ClusterIP", "NodePort", "LoadBalancer"), "port": WHOLE}),
                "ingress": _closed({"enabled": FLAG, "className": ANY_TEXT, "annotations": OPEN, "tlsSecret": ANY_TEXT}),
                "networkPolicy": _network(),
                "serviceMonitor": _closed({"enabled": FLAG, "interval": TEXT, "labels": OPEN}),
                "environment": {
                    "type": "object",
                    "propertyNames": {"not": {"pattern": f"^{PREFIX}"}},
                    "patternProperties": {SENT: key_of},
                    "additionalProperties": {"anyOf": [{"type": ["string", "number", "boolean"]}, key_of]},
                },
                "podAnnotations": OPEN,
                "podLabels": OPEN,
                "global": OPEN,
            }
        ),
    }
    return json.dumps(schema, indent=1) + "\n"


def _accepts(setting: Setting) -> Schema:
    accepted: Schema = {"enum": list(setting.choices)} if setting.choices else {"type": ["string", "number", "boolean"]}
    return {"description": setting.doc, **accepted}


def _parts() -> dict[str, Schema]:
    placed = {"replicas": WHOLE, "resources": OPEN, "nodeSelector": OPEN, "tolerations": _list(OPEN)}
    scaled = _closed({"enabled": FLAG, "minReplicas": WHOLE, "maxReplicas": WHOLE, "cpuPercent": WHOLE})
    return {
        "api": _closed({**placed, "autoscaling": scaled}),
        "worker": _closed({**placed, "jobs": _list(TEXT)}),
        "migrate": _closed({"enabled": FLAG, "deadlineSeconds": WHOLE}),
    }


def _network() -> Schema:
    towards = _closed({"to": _list(OPEN), "ports": _list(WHOLE)})
    return _closed(
        {"enabled": FLAG, "clients": _list(OPEN), "monitoring": _list(OPEN), "databases": towards, "brokers": towards, "others": towards}
    )


def _mounted() -> Schema:
    return {"oneOf": [_closed({kind: TEXT, "key": TEXT}, all_needed=True) for kind in ("secret", "configMap")]}


def _closed(properties: dict[str, Schema], *, all_needed: bool = False) -> Schema:
    needed: Schema = {"required": list(properties)} if all_needed else {}
    return {"type": "object", "additionalProperties": False, "properties": properties, **needed}


def _list(of: Schema) -> Schema:
    return {"type": "array", "items": of}


def _one(*choices: str) -> Schema:
    return {"enum": list(choices)}


def _like(pattern: str) -> Schema:
    return {"type": "string", "pattern": pattern}
