"""The alert rules of `ring/monitoring`, as text that promtool and a Prometheus take."""

import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest
import yaml  # type: ignore[import-untyped]  # PyYAML comes with ccm, without types

from ring.nodes.settings import REPOSITORY

MONITORING: Final = REPOSITORY / "ring" / "monitoring"
RULES: Final = MONITORING / "alerts.yml"
_COMPARISON: Final = re.compile(r"(?<![=!<>~])(==|!=|<=|>=|<|>)(?![=~])")
_QUOTED_OR_BRACED: Final = re.compile(r'"[^"]*"|\{[^}]*\}')


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule: `annotations` with the placeholders of labels in them."""

    name: str
    expression: str
    wait: str
    labels: dict[str, str]
    annotations: dict[str, str]

    def rendered(self, labels: dict[str, str]) -> dict[str, str]:
        """Return the annotations as of an alert with these labels."""
        return {
            name: re.sub(r"\{\{ \$labels\.(\w+) \}\}", lambda found: labels[found[1]], text)
            for name, text in self.annotations.items()
        }


def alerts() -> list[Alert]:
    """Return all rules, in the order of the file."""
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [
        Alert(
            name=rule["alert"],
            expression=rule["expr"],
            wait=rule.get("for", "0s"),
            labels=rule["labels"],
            annotations=rule["annotations"],
        )
        for group in groups
        for rule in group["rules"]
    ]


def answering_always(expression: str) -> str:
    """Return an expression with its comparisons as `bool`.

    A comparison that does not hold takes the sample away; so it answers 0, and no answer means that
    the metrics themselves are missing.
    """
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\0{len(kept) - 1}\0"

    bare = _QUOTED_OR_BRACED.sub(keep, expression)
    compared = _COMPARISON.sub(r"\1 bool", bare)
    return re.sub(r"\0(\d+)\0", lambda found: kept[int(found[1])], compared)


def promtool() -> Path:
    """Return the path of promtool; the test fails where it is not installed."""
    found = shutil.which("promtool")
    if found is None:
        pytest.fail("promtool is missing: sh ring/nodes/install_packages.sh prometheus")
    return Path(found)
