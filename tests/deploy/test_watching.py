"""The dashboard and the alerts ask for metrics that the bot has, with labels that those have."""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry

from bot.monitoring.metrics import Metrics

ROOT = Path(__file__).resolve().parents[2]
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DASHBOARD = ROOT / "deploy" / "grafana" / "dashboard.json"
OF_PROMETHEUS = {"up": set[str]()}
"""What it makes itself for each target, and the labels that it gives to all metrics."""

TARGET = {"job", "instance"}
SUFFIXES = {
    "counter": ("_total",),
    "histogram": ("_bucket", "_count", "_sum"),
    "gauge": ("",),
}
WORDS = {"and", "or", "unless", "offset", "bool"}


def exported(registry: CollectorRegistry) -> dict[str, set[str]]:
    """The bot's metrics, each with its labels."""
    found: dict[str, set[str]] = {}
    for collector in list(registry._collector_to_names):
        for family in collector.collect():
            labels = set(getattr(collector, "_labelnames", ()))
            for suffix in SUFFIXES[family.type]:
                own = labels | ({"le"} if suffix == "_bucket" else set())
                found[family.name + suffix] = own
    return found


def selectors(expression: str) -> Iterator[tuple[str, set[str]]]:
    """The metrics that a PromQL expression names, each with the labels that it matches.

    A name is what is no function, no word of the language, and stands in no list of labels.
    """
    lists = r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)"
    plain = re.sub(lists, " ", re.sub(r"\[[^\]]*\]", " ", expression))
    for match in re.finditer(r"(?<![\w.])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\()?", plain):
        name, rest = match[1], match[2] or ""
        if rest != "(" and name not in WORDS:
            yield name, set(re.findall(r"(\w+)\s*[=!]", rest))


def grouped(expression: str) -> set[str]:
    lists = re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", expression)
    return {label.strip() for some in lists for label in some.split(",")}


def alerts() -> list[dict[str, Any]]:
    return [
        rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]
    ]


def panels() -> list[dict[str, Any]]:
    return list(json.loads(DASHBOARD.read_text())["panels"])


def expressions() -> dict[str, str]:
    asked = {rule["alert"]: rule["expr"] for rule in alerts()}
    for panel in panels():
        asked |= {
            f"{panel['title']} {target['refId']}": target["expr"] for target in panel["targets"]
        }
    notes = json.loads(DASHBOARD.read_text())["annotations"]["list"]
    return asked | {note["name"]: note["expr"] for note in notes}


@pytest.mark.parametrize("expression", expressions().values(), ids=expressions().keys())
def test_every_metric_and_label_is_there(expression: str) -> None:
    there = exported(Metrics().registry) | OF_PROMETHEUS
    named = list(selectors(expression))
    assert named
    for name, labels in named:
        assert name in there, f"no metric {name}"
        assert labels <= there[name] | TARGET, f"{name} lacks {labels - there[name] - TARGET}"
    known = set().union(*(there[name] for name, _ in named)) | TARGET
    assert grouped(expression) <= known


def test_a_name_that_is_wrong_would_be_found() -> None:
    found = list(selectors('sum by (le) (rate(gone_bucket{pooling="cls"}[5m])) > 2 * up offset 1h'))
    assert found == [("gone_bucket", {"pooling"}), ("up", set())]


def test_what_an_operator_must_see_is_on_the_dashboard() -> None:
    shown = {name for expression in expressions().values() for name, _ in selectors(expression)}
    ours = {name for name in exported(Metrics().registry) if name.startswith("kinorate_")}
    parts = ("_bucket", "_count", "_sum")  # of a histogram, one of which is enough
    whole = {name.removesuffix(part) for name in shown for part in parts if name.endswith(part)}
    unseen = {name for name in ours - shown if not name.endswith(parts)}
    assert not unseen
    assert whole >= {"kinorate_answer_seconds", "kinorate_prediction_seconds"}


def test_every_alert_says_what_and_how_bad() -> None:
    assert len({rule["alert"] for rule in alerts()}) == len(alerts()) >= 8
    for rule in alerts():
        assert rule["labels"]["severity"] in ("warning", "critical")
        for text in (rule["annotations"]["summary"], rule["annotations"]["description"]):
            assert text.endswith((".", ".)"))


def test_every_panel_is_whole() -> None:
    found = panels()
    assert len({panel["id"] for panel in found}) == len(found)
    places: set[tuple[int, int]] = set()
    for panel in found:
        assert panel["title"]
        assert panel["description"].endswith(".")
        grid = panel["gridPos"]
        assert grid["x"] + grid["w"] <= 24
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not cells & places, f"{panel['title']} lies over another"
        places |= cells


def test_prometheus_takes_the_rules_and_they_raise_what_they_should(tmp_path: Path) -> None:
    if not shutil.which("promtool"):
        pytest.skip("promtool is not installed (Debian: prometheus)")
    tests = (ROOT / "tests" / "deploy" / "alerts.yml").read_text().replace("RULES", str(ALERTS))
    (tmp_path / "alerts.yml").write_text(tests)
    for words in (["check", "rules", str(ALERTS)], ["test", "rules", str(tmp_path / "alerts.yml")]):
        done = subprocess.run(["promtool", *words], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
