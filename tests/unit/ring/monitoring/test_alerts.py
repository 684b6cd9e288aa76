"""Each alert fires when it should, waits as long as it says, and is silent when all is well.

`promtool test rules` evaluates the rules themselves on series that are made up here. A series goes
on being well for WELL_MINUTES and is ill from then on.
"""

import json
import math
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ring.monitoring import names
from tests.support.alert_rules import MONITORING, RULES, Alert, alerts, promtool

WELL_MINUTES = 10
RATE_MINUTES = 5
# What every ring tells; a case replaces what it is about.
NODE = '{node="10.0.0.1:9042"}'
AT_REST = {
    "catalog_ring_lock_held": ("0", "0"),
    'catalog_ring_nodes{state="up_normal"}': ("3", "3"),
    'catalog_ring_nodes{state="down_normal"}': ("0", "0"),
    "catalog_ring_replication_factor": ("3", "3"),
    'catalog_node_state{node="10.0.0.1:9042",state="up_normal"}': ("1", "1"),
    'catalog_node_state{node="10.0.0.1:9042",state="down_normal"}': ("0", "0"),
}
OF_NODE = {"node": "10.0.0.1:9042"}


@dataclass(frozen=True, slots=True)
class Case:
    """Series that make an alert fire: well and ill values, in promtool's notation of one step."""

    series: dict[str, tuple[str, str]]
    labels: dict[str, str] = field(default_factory=dict)
    after_minutes: int = 0
    """How long the series must be ill before the rule holds, apart from a rate's own window."""


DOWN = {
    'catalog_node_state{node="10.0.0.1:9042",state="up_normal"}': ("1", "0"),
    'catalog_node_state{node="10.0.0.1:9042",state="down_normal"}': ("0", "1"),
}
CASES = {
    "ExporterDown": Case(
        {'up{job="catalog-ring",instance="a"}': ("1", "0")},
        {"job": "catalog-ring", "instance": "a"},
    ),
    "ExporterBlind": Case(
        {'catalog_exporter_source_ok{source="journal"}': ("1", "0")}, {"source": "journal"}
    ),
    "RingUnseen": Case({"catalog_ring_seen": ("1", "0")}),
    # One of three may be down.
    "QuorumLost": Case(
        {'catalog_ring_nodes{state="down_normal"}': ("1", "2")},
    ),
    "NodeDown": Case(DOWN, OF_NODE),
    "NodeDownLong": Case(DOWN, OF_NODE),
    "SchemaDisagreement": Case({"catalog_ring_schema_versions": ("1", "2")}),
    "VersionsMixed": Case(
        {
            'catalog_node_info{node="10.0.0.1:9042",version="5.0.9"}': ("1", "1"),
            'catalog_node_info{node="10.0.0.2:9042",version="5.0.8"}': ("_", "1"),
        }
    ),
    "ReplicationLow": Case({"catalog_ring_replication_factor": ("3", "1")}),
    "RangesPending": Case({"catalog_ring_moving_nodes": ("0", "1")}),
    "HintsUndelivered": Case({f"catalog_node_hint_files{NODE}": ("0", "2")}, OF_NODE),
    "CleanupOwed": Case({f"catalog_node_cleanup_owed{NODE}": ("0", "1")}, OF_NODE),
    # Times are told from the first minute on; the rule holds when 800 seconds have passed.
    "RepairOverdue": Case(
        {
            f"catalog_node_joined_timestamp_seconds{NODE}": ("-9999999", "-9999999"),
            f"catalog_node_repair_timestamp_seconds{NODE}": ("-604000", "-604000"),
        },
        OF_NODE,
        after_minutes=4,
    ),
    "CompactionBehind": Case({f"catalog_node_pending_compactions{NODE}": ("20", "21")}, OF_NODE),
    "DiskFilling": Case(
        {
            f"catalog_host_disk_bytes{NODE}": ("100", "100"),
            f"catalog_host_disk_free_bytes{NODE}": ("31", "29"),
        },
        OF_NODE,
    ),
    "DiskFull": Case(
        {
            f"catalog_host_disk_bytes{NODE}": ("100", "100"),
            f"catalog_host_disk_free_bytes{NODE}": ("11", "9"),
        },
        OF_NODE,
    ),
    "DiskFullSoon": Case({f"catalog_host_disk_free_bytes{NODE}": ("1000", "1000-10")}, OF_NODE),
    "HostUnreachable": Case({f"catalog_host_reachable{NODE}": ("1", "0")}, OF_NODE),
    "HostBusy": Case(
        {
            f"catalog_host_cpu_cores{NODE}": ("2", "2"),
            # Of 120 seconds a minute that two cores have.
            f"catalog_host_cpu_seconds_total{NODE}": ("0+96", "960+108"),
        },
        OF_NODE,
    ),
    "ClocksApart": Case({f"catalog_host_clock_offset_seconds{NODE}": ("-0.9", "-1.1")}, OF_NODE),
    "LockHeldLong": Case({"catalog_ring_lock_held": ("0", "1")}),
    "OperationUnfinished": Case(
        {
            'catalog_operation_timestamp_seconds{operation="add",outcome="done"}': ("60", "60"),
            'catalog_operation_timestamp_seconds{operation="add",outcome="interrupted"}': (
                "0",
                "600",
            ),
        },
        {"operation": "add"},
    ),
    "BackupOld": Case(
        {"catalog_ring_backup_timestamp_seconds": ("-92800", "-92800")}, after_minutes=4
    ),
    "AppServerDown": Case(
        {'up{job="catalog-api",instance="b"}': ("1", "0")}, {"job": "catalog-api", "instance": "b"}
    ),
    "AppServerUnused": Case({f"catalog_node_app_in_nginx{NODE}": ("1", "0")}, OF_NODE),
    "NginxDown": Case({"catalog_nginx_up": ("1", "0")}),
    "RequestsFail": Case(
        {
            'catalog_requests_total{route="/x",status="200"}': ("0+985", "9850+985"),
            'catalog_requests_total{route="/x",status="503"}': ("0+5", "50+15"),
        }
    ),
    "ReadsSlow": Case(
        {
            'catalog_request_duration_seconds_bucket{le="0.25",route="/products/{id}",'
            'status="200"}': ("0+100", "1000+98"),
            'catalog_request_duration_seconds_bucket{le="0.5",route="/products/{id}",'
            'status="200"}': ("0+100", "1000+100"),
            'catalog_request_duration_seconds_bucket{le="+Inf",route="/products/{id}",'
            'status="200"}': ("0+100", "1000+100"),
        }
    ),
    "RequestsRefused": Case(
        {'catalog_ring_calls_total{event="refused",instance="b"}': ("0+0", "0+1")}
    ),
    "CircuitOpen": Case(
        {'catalog_ring_circuit_open{node="10.0.0.1:9042",instance="b"}': ("0", "1")}, OF_NODE
    ),
}


def _notation(value: str, times: int) -> str:
    """Return promtool's notation of a value, or of a slope, that lasts a number of steps."""
    if value == "_":
        return f"_x{times}"
    slope = value if "+" in value or "-" in value[1:] else f"{value}+0"
    return f"{slope}x{times - 1}"


def _minutes(wait: str) -> int:
    number, unit = wait[:-1], wait[-1]
    return math.ceil(int(number) * {"s": 1 / 60, "m": 1, "h": 60}[unit])


def _unit_test(alert: Alert, case: Case) -> dict[str, object]:
    """Return what promtool is to test: silent while well, silent while it waits, then firing."""
    fired = {
        "exp_labels": {**case.labels, **alert.labels},
        "exp_annotations": alert.rendered(case.labels),
    }
    wait_minutes = _minutes(alert.wait)
    holds_at = WELL_MINUTES + case.after_minutes
    fires_at = holds_at + wait_minutes + RATE_MINUTES + 1
    silent_at = [WELL_MINUTES - 1]
    if wait_minutes > 2:
        silent_at.append(holds_at + wait_minutes - 2)
    return {
        "interval": "1m",
        "input_series": [
            {
                "series": series,
                "values": f"{_notation(well, WELL_MINUTES)} {_notation(ill, fires_at)}",
            }
            for series, (well, ill) in {**AT_REST, **case.series}.items()
        ],
        "alert_rule_test": [
            *({"eval_time": f"{minute}m", "alertname": alert.name} for minute in silent_at),
            {
                "eval_time": f"{fires_at}m",
                "alertname": alert.name,
                "exp_alerts": [fired],
            },
        ],
    }


def _promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [promtool(), *arguments], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_alert_when_its_figures_go_bad_then_it_fires_and_not_before(
    alert: Alert, tmp_path: Path
) -> None:
    """Silent while all is well and as long as it is to wait; then firing, with its words."""
    file = tmp_path / "test.json"
    content = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [_unit_test(alert, CASES[alert.name])],
    }
    # JSON is YAML too.
    file.write_text(json.dumps(content), encoding="utf-8")
    _promtool("test", "rules", file)


def test_rules_when_checked_then_promtool_finds_nothing() -> None:
    """The rules and the configuration that names them are what a Prometheus takes."""
    _promtool("check", "rules", "--lint=all", "--lint-fatal", RULES)
    _promtool("check", "config", MONITORING / "prometheus.yml")


def test_alerts_when_listed_then_each_has_a_case_and_a_runbook() -> None:
    """Whoever is woken finds what to do under the alert's own name."""
    assert [alert.name for alert in alerts()] == list(CASES)
    runbook = (MONITORING / "README.md").read_text(encoding="utf-8")
    for alert in alerts():
        assert alert.annotations["runbook_url"] == (
            f"ring/monitoring/README.md#{alert.name.lower()}"
        )
        section = runbook.partition(f"\n### {alert.name}\n")[2].partition("\n### ")[0]
        for part in ("Means", "Look", "Do"):
            assert f"**{part}.**" in section, f"{alert.name}: no {part}"


def test_rules_when_they_name_a_metric_of_the_exporter_then_it_has_it() -> None:
    """A renamed metric would leave its alert silent for ever."""
    served = {f"{name.name}_total" if name.is_counter else name.name for name in names.ALL}
    text = "\n".join(alert.expression for alert in alerts())
    used = set(re.findall(r"\bcatalog_(?:node|host|exporter|nginx|operations?)_\w+", text))
    used |= {
        name
        for name in re.findall(r"\bcatalog_ring_\w+", text)
        if name not in ("catalog_ring_calls_total", "catalog_ring_circuit_open")
    }
    assert used <= served
