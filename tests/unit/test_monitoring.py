"""The dashboard and the alerts of ``deploy/`` ask for metrics that there are, by labels that they have."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from personaagent.core.prometheus import REGISTRY

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARD: dict[str, Any] = json.loads((DEPLOY / "grafana.json").read_text())
ALERTS: list[dict[str, Any]] = [
    rule
    for group in yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    for rule in group["rules"]
]
SCRAPE: dict[str, Any] = yaml.safe_load((DEPLOY / "prometheus.yml").read_text())
ENDINGS = {"counter": ("_total",), "histogram": ("_bucket", "_count", "_sum"), "gauge": ("",)}
OF_PROMETHEUS = {"job", "instance", "le"}
METRIC = re.compile(r"\b(personaagent_[a-z_]+)(?:\{([^}]*)\})?")


def expressions() -> Iterator[tuple[str, str]]:
    """Each expression, by what shows it."""
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for rule in ALERTS:
        yield rule["alert"], rule["expr"]


EXPRESSIONS = list(expressions())


def labels_by_name() -> dict[str, set[str]]:
    """The labels of each series that the registry can show."""
    collectors = {*REGISTRY._collector_to_names}
    return {
        each._name + ending: set(each._labelnames)  # type: ignore[attr-defined]
        for each in collectors
        for ending in ENDINGS[each._type]  # type: ignore[attr-defined]
    }


KNOWN = labels_by_name()


@pytest.mark.parametrize("expression", [each for _, each in EXPRESSIONS])
def test_each_metric_and_label_exists(expression: str) -> None:
    used = METRIC.findall(expression)
    assert used or expression.startswith("up{")
    has = OF_PROMETHEUS.union(*(KNOWN[name] for name, _ in used))
    for _, selectors in used:
        assert set(re.findall(r"(\w+)\s*=", selectors)) <= has
    for grouped in re.findall(r"\bby \(([^)]*)\)", expression):
        assert {label.strip() for label in grouped.split(",")} <= has


@pytest.mark.parametrize("expression", [each for _, each in EXPRESSIONS])
def test_brackets_are_closed_and_counters_have_rates(expression: str) -> None:
    for opening, closing in ("()", "{}", "[]"):
        assert expression.count(opening) == expression.count(closing)
    counters = re.findall(r"(\w+\()personaagent_\w+_(?:total|bucket|count|sum)\b", expression)
    number = len(re.findall(r"personaagent_\w+_(?:total|bucket|count|sum)\b", expression))
    assert len(counters) == number
    assert set(counters) <= {"rate(", "increase("}


def test_the_dashboard_shows_every_metric() -> None:
    shown = " ".join(expression for _, expression in EXPRESSIONS)
    for name in {re.sub(r"_(total|bucket|count|sum)$", "", each) for each in KNOWN}:
        assert name in shown, f"nobody looks at {name}"


def test_panels_lie_beside_each_other_and_have_names_of_their_own() -> None:
    panels = DASHBOARD["panels"]
    for key in ("id", "title"):
        assert len({panel[key] for panel in panels}) == len(panels)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in panels)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


@pytest.mark.parametrize("panel", DASHBOARD["panels"], ids=lambda panel: str(panel["title"]))
def test_panels_ask_the_prometheus_that_is_chosen(panel: dict[str, Any]) -> None:
    [variable] = DASHBOARD["templating"]["list"]
    chosen = {"type": variable["query"], "uid": f"${{{variable['name']}}}"}
    assert [each["datasource"] for each in (panel, *panel["targets"])] == [chosen] * (
        1 + len(panel["targets"])
    )


@pytest.mark.parametrize("rule", ALERTS, ids=lambda rule: str(rule["alert"]))
def test_an_alert_says_what_is_wrong_and_what_to_do(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert {"summary", "action"} == rule["annotations"].keys()
    assert all(text.endswith(".") for text in rule["annotations"].values())
    assert re.fullmatch(r"\d+[mh]", rule["for"])


def test_alerts_have_names_of_their_own_and_are_loaded() -> None:
    assert len({rule["alert"] for rule in ALERTS}) == len(ALERTS)
    assert SCRAPE["rule_files"] == ["alerts.yml"]


def test_prometheus_asks_servers_and_workers_with_the_operators_token() -> None:
    [job] = SCRAPE["scrape_configs"]
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    [targets] = job["dns_sd_configs"]
    assert job["metrics_path"] == "/metrics/personaagent"
    assert job["authorization"].keys() == {"credentials_file"}
    assert set(targets["names"]) <= services.keys()
    assert services["server"]["ports"][0].endswith(f":{targets['port']}")
    assert any(f'job="{job["job_name"]}"' in rule["expr"] for rule in ALERTS)
