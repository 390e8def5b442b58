"""The chart by Helm itself (its library, no cluster), and what it makes by the schemas of Kubernetes."""

import copy
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import helm_python as helm
import kubernetes_validate
import pytest
import yaml

CHART = Path(__file__).parents[1] / "helm" / "minos"
OLDEST, NEWEST = "1.30.0", "1.37.0"
LEAST: dict[str, Any] = {
    "settings": {"ISSUER": "https://auth.example.org"},
    "storage": {"keys": {"existingClaim": "minos-keys"}, "secondPlace": {"existingClaim": "minos-second-place"}},
}
BUCKETS: dict[str, Any] = {
    "settings": {
        "ISSUER": "https://auth.example.org:8443",
        "KEYS_DIR": "s3://minos/keys?endpoint=https://s3.example.org&region=eu",
        "SECOND_PLACE": "s3://minos/second?endpoint=https://s3.example.org&region=eu",
        "SHUTDOWN_GRACE": "1m",
    },
    "image": {"repository": "registry.example.org/minos", "digest": f"sha256:{'0' * 64}", "pullSecrets": ["registry"]},
    "secrets": {"all": {"SECOND_PLACE_KEY": {"name": "bucket", "key": "key"}}, "worker": {"SMTP_URL": {"name": "mail", "key": "url"}}},
    "files": {"LIMITS_FILE": {"configMap": "limits", "key": "limits.toml"}},
    "externalSecrets": {
        "store": {"kind": "ClusterSecretStore", "name": "vault"},
        "secrets": [{"name": "minos", "data": {"database-url": {"key": "minos/database", "property": "url"}}}],
    },
    "api": {"autoscaling": {"enabled": True}, "nodeSelector": {"pool": "a"}, "tolerations": [{"key": "a", "operator": "Exists"}]},
    "worker": {"jobs": ["sequencer", "publisher"]},
    "ingress": {"enabled": True, "className": "nginx", "annotations": {"a": "b"}, "tlsSecret": "minos-tls"},
    "networkPolicy": {
        "clients": [{"namespaceSelector": {"matchLabels": {"a": "b"}}}],
        "databases": {"to": [{"ipBlock": {"cidr": "10.0.0.0/8"}}]},
    },
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "environment": {
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318",
        "OTEL_EXPORTER_OTLP_HEADERS": {"name": "collector", "key": "headers"},
    },
    "podAnnotations": {"a": "b"},
    "podLabels": {"team": "identity"},
}
CASES = {"least": LEAST, "everything": BUCKETS}
NOT_OF_KUBERNETES = {"ServiceMonitor", "ExternalSecret"}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    with helm.Chart.load(str(CHART)) as chart:
        files = chart.render(values, name="try", namespace="auth")
    return [found for name, text in files.items() if name.endswith(".yaml") for found in yaml.safe_load_all(text) if found]


@cache
def made(case: str) -> list[dict[str, Any]]:
    return rendered(CASES[case])


def of(case: str, kind: str) -> dict[str, dict[str, Any]]:
    return {found["metadata"]["name"]: found for found in made(case) if found["kind"] == kind}


def pods(case: str) -> dict[str, dict[str, Any]]:
    return {name: found["spec"]["template"]["spec"] for kind in ("Deployment", "Job") for name, found in of(case, kind).items()}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_helm_finds_nothing_to_say(case: str, version: str) -> None:
    said = helm.lint(str(CHART), CASES[case], strict=True, kube_version=version, namespace="auth")
    assert [one for one in said["messages"] if "icon is recommended" not in str(one)] == []


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("version", [OLDEST, NEWEST])
def test_kubernetes_knows_every_field(case: str, version: str) -> None:
    for found in made(case):
        if found["kind"] not in NOT_OF_KUBERNETES:
            kubernetes_validate.validate(found, version.rpartition(".")[0], strict=True)


def test_there_is_what_was_asked_for() -> None:
    kinds = {found["kind"] for found in made("everything")}
    assert kinds >= {"Deployment", "Job", "PodDisruptionBudget", "HorizontalPodAutoscaler", "NetworkPolicy", "Ingress", *NOT_OF_KUBERNETES}
    assert not {"HorizontalPodAutoscaler", "Ingress", *NOT_OF_KUBERNETES} & {found["kind"] for found in made("least")}
    assert set(pods("least")) == {"try-minos-api", "try-minos-worker", "try-minos-migrate"}


@pytest.mark.parametrize("case", CASES)
def test_a_pod_has_no_rights_it_does_not_need(case: str) -> None:
    for pod in pods(case).values():
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        [container] = pod["containers"]
        held = container["securityContext"]
        assert (held["allowPrivilegeEscalation"], held["readOnlyRootFilesystem"], held["capabilities"]) == (False, True, {"drop": ["ALL"]})
        assert "memory" in container["resources"]["limits"]


@pytest.mark.parametrize("case", CASES)
def test_secrets_are_files_and_each_part_has_its_own(case: str) -> None:
    mounted = {
        name: {
            path["path"]
            for volume in pod["volumes"]
            for source in volume.get("projected", {}).get("sources", [])
            for path in next(iter(source.values()))["items"]
        }
        for name, pod in pods(case).items()
    }
    assert [name for name, paths in mounted.items() if "MIGRATION_DATABASE_URL" in paths] == ["try-minos-migrate"]
    assert [name for name, paths in mounted.items() if "NATS_CALLOUT_ISSUER" in paths] == ["try-minos-api"]
    for name, pod in pods(case).items():
        given = [one["value"] for one in pod["containers"][0]["env"] if "value" in one]
        named = {value.rpartition("/")[2] for value in given if value.startswith("/run/secrets/")}
        assert named == mounted[name]


@pytest.mark.parametrize("case", CASES)
def test_a_rolling_update_takes_nothing_away_first(case: str) -> None:
    for found in of(case, "Deployment").values():
        assert found["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
        assert {"startupProbe", "livenessProbe", "readinessProbe"} <= set(found["spec"]["template"]["spec"]["containers"][0])
    pod = pods(case)["try-minos-api"]
    drain, grace = {"least": (10, 10), "everything": (10, 60)}[case]
    assert pod["terminationGracePeriodSeconds"] > drain + grace
    [migrate] = of(case, "Job").values()
    assert migrate["metadata"]["annotations"]["helm.sh/hook"] == "pre-install,pre-upgrade"


def test_probes_ask_for_a_host_that_is_answered() -> None:
    [container] = pods("everything")["try-minos-api"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert container[probe]["httpGet"]["httpHeaders"] == [{"name": "Host", "value": "auth.example.org:8443"}]


def test_a_variable_may_come_from_a_secret() -> None:
    [container] = pods("everything")["try-minos-worker"]["containers"]
    given = {each["name"]: each for each in container["env"]}
    assert given["OTEL_EXPORTER_OTLP_ENDPOINT"]["value"] == "http://collector:4318"
    assert given["OTEL_EXPORTER_OTLP_HEADERS"] == {
        "name": "OTEL_EXPORTER_OTLP_HEADERS",
        "valueFrom": {"secretKeyRef": {"name": "collector", "key": "headers"}},
    }


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"settings": {"ISUER": "https://auth.example.org"}}, "ISUER"),
        ({"settings": {**LEAST["settings"], "DATABASE_URL": "postgresql://"}}, "DATABASE_URL"),
        ({"settings": {}}, "settings.ISSUER"),
        ({"storage": {"keys": {"existingClaim": ""}}}, "keys of the months"),
        ({"secrets": {"api": {"HOST": {"name": "a", "key": "b"}}}}, "HOST"),
        ({"environment": {"MINOS_HOST": "::"}}, "MINOS_HOST"),
        ({"environment": {"OTEL_EXPORTER_OTLP_TRACES_HEADERS": "authorization=Bearer%20t"}}, "OTEL_EXPORTER_OTLP_TRACES_HEADERS"),
        ({"image": {"digest": "latest"}}, "digest"),
    ],
    ids=[
        "unknown setting",
        "secret in the open",
        "no issuer",
        "no place for keys",
        "setting among secrets",
        "setting as a variable",
        "what is shown to a collector in the open",
        "no digest",
    ],
)
def test_values_that_cannot_work_are_refused(change: dict[str, Any], told: str) -> None:
    with pytest.raises(helm.HelmError, match=told):
        rendered({**LEAST, **change})


GIVEN = [
    ("image", "repository"), ("secrets", "all", "SECOND_PLACE_KEY", "key"), ("secrets", "all", "SECOND_PLACE_KEY", "name"),
    ("files", "LIMITS_FILE", "configMap"), ("files", "LIMITS_FILE", "key"), ("storage", "keys", "existingClaim"),
    ("environment", "OTEL_EXPORTER_OTLP_HEADERS", "key"), ("externalSecrets", "refreshInterval"), ("ingress", "className"),
    ("ingress", "tlsSecret"), ("serviceMonitor", "interval"), ("settings", "SERVICE_NAME"), ("podLabels", "team"),
]  # fmt: skip


def with_all(value: str) -> dict[str, Any]:
    values = copy.deepcopy(BUCKETS)
    for path in GIVEN:
        place = values
        for name in path[:-1]:
            place = place.setdefault(name, {})
        place[path[-1]] = value
    return values


def names(found: object) -> Iterator[str]:
    match found:
        case dict():
            for name, value in found.items():
                yield name
                yield from names(value)
        case list():
            for each in found:
                yield from names(each)
        case _:
            pass


@pytest.mark.parametrize("tail", [" }, hostPID: { a: b", *("\n" + " " * indent + "hostPID: true" for indent in (2, 4, 6, 8, 12))])
def test_no_value_says_more_than_itself(tail: str) -> None:
    """A name that somebody else chooses, as a tenant's, is no place to write fields of ours."""
    assert "hostPID" not in set(names(rendered(with_all(f"x{tail}"))))
