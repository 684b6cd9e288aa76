"""The ring as a real Prometheus sees it: a stack of one node, the exporter, rules and dashboard.

One stack for the whole file, on addresses and ports of its own. The tests build on each other, in
the order of the file: the last one takes the figures away.
"""

import http.client
import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ring.monitoring.prometheus import Prometheus
from ring.nodes.settings import REPOSITORY
from ring.operations.advice import AdviseSettings, decide
from ring.operations.figures import read_figures
from ring.settings import load_settings
from tests.support.alert_rules import MONITORING, Alert, alerts, answering_always
from tests.support.ccm import installed_cassandra
from tests.support.monitoring import (
    Exporter,
    running_exporter,
    running_prometheus,
    wait_for,
)

PREFIX = "127.0.76."
NODE = f"{PREFIX}1:9042"
NGINX_PORT, EXPORTER_PORT, PROMETHEUS_PORT = 7765, 7767, 7768
UP_SECONDS = 600.0
# Two windows that a test can wait for; nothing but them differs from what is shipped.
WINDOWS = {
    "CATALOG_ADVISE_WINDOW_SECONDS": "20",
    "CATALOG_ADVISE_QUIET_SECONDS": "20",
    "CATALOG_ADVISE_SETTLE_SECONDS": "20",
}

pytestmark = [pytest.mark.timeout(UP_SECONDS)]


@dataclass(frozen=True, slots=True)
class Watched:
    """A stack that is up, its exporter, and a Prometheus that scrapes it."""

    environ: dict[str, str]
    exporter: Exporter
    prometheus: Prometheus

    def run(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `catalog-ring` and return what it printed."""
        return run_ring({**self.environ, **environ}, *arguments)

    def advise(self, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
        """Run `catalog-ring advise` on the figures of now, with windows of seconds."""
        url = f"http://127.0.0.1:{PROMETHEUS_PORT}"
        return self.run("advise", "--prometheus", url, *arguments, **(WINDOWS | environ))


def run_ring(environ: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run `catalog-ring` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "ring", *arguments],
        cwd=REPOSITORY,
        env=environ,
        capture_output=True,
        text=True,
        timeout=UP_SECONDS,
        check=False,
    )


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """One node with an app server, nginx, an exporter and a Prometheus; stopped at the end."""
    state = tmp_path_factory.mktemp("watched")
    # Root's nginx gives its workers to nobody, who must get to the folder of temporary files.
    for folder in (state, state.parent):
        folder.chmod(0o755)
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    environ |= {
        "CATALOG_STATE_DIRECTORY": str(state),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_ADDRESS_PREFIX": PREFIX,
        "CATALOG_JMX_PORT": "7760",
        "CATALOG_NGINX_HOST": f"{PREFIX}1",
        "CATALOG_NGINX_PORT": str(NGINX_PORT),
        "CATALOG_NGINX_STATUS_PORT": "7766",
        "CATALOG_SAMPLE_PRODUCTS": "50",
        "CATALOG_HEAP_MIB": "450",
    }
    try:
        done = run_ring(environ, "up", "--nodes", "1")
        assert done.returncode == 0, done.stdout + done.stderr
        with (
            running_exporter(environ, EXPORTER_PORT, state / "exporter.log") as exporter,
            running_prometheus(state, PROMETHEUS_PORT, EXPORTER_PORT) as prometheus,
        ):
            yield Watched(environ, exporter, prometheus)
    finally:
        run_ring(environ, "down")


def _read_products(seconds: float) -> None:
    """Read products through nginx, so that there are rates to ask for."""
    until = time.monotonic() + seconds
    connection = http.client.HTTPConnection(f"{PREFIX}1", NGINX_PORT, timeout=10)
    while time.monotonic() < until:
        for product in range(1, 51):
            connection.request("GET", f"/products/{product}")
            response = connection.getresponse()
            response.read()
            assert response.status == 200
        time.sleep(0.2)
    connection.close()


def _panels() -> list[tuple[str, str]]:
    """Return title and expression of every panel, with what Grafana puts in for variables."""
    dashboard: dict[str, Any] = json.loads(
        (MONITORING / "dashboard.json").read_text(encoding="utf-8")
    )
    found = [
        (panel["title"], target["expr"])
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
    ]
    return [
        (title, expression.replace("$node", ".*").replace("$__rate_interval", "30s"))
        for title, expression in found
    ]


async def test_prometheus_when_the_ring_runs_then_it_finds_every_target_by_itself(
    watched: Watched,
) -> None:
    """The exporter is named in the configuration; it tells of the app servers."""
    # An operation, so that there is one to be seen.
    done = watched.run("cleanup", "--all")
    assert done.returncode == 0, done.stdout + done.stderr
    assert await wait_for(watched.prometheus, 'up{job="catalog-ring"}') == 1
    assert await wait_for(watched.prometheus, 'up{job="catalog-api"}') == 1
    app = await watched.prometheus.query('up{job="catalog-api"}')
    assert [sample.labels["instance"] for sample in app] == [f"{PREFIX}1:8080"]
    _read_products(12.0)
    requests = "sum(rate(catalog_requests_total[30s]))"
    assert await wait_for(watched.prometheus, requests) > 0


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
async def test_alert_when_evaluated_on_a_running_ring_then_it_has_data(
    watched: Watched, alert: Alert
) -> None:
    """No metric that a rule names is missing, so its silence means that all is well."""
    samples = await watched.prometheus.query(answering_always(alert.expression))
    assert any(not math.isnan(sample.value) for sample in samples)


@pytest.mark.parametrize(("title", "expression"), _panels())
async def test_panel_when_drawn_of_a_running_ring_then_it_has_data(
    watched: Watched, title: str, expression: str
) -> None:
    """No panel of the dashboard stays empty."""
    samples = await watched.prometheus.query(expression)
    assert any(not math.isnan(sample.value) for sample in samples), title


async def test_figures_when_an_operation_ended_then_its_steps_are_still_told(
    watched: Watched,
) -> None:
    """The script is long gone; its journal is in the ring."""
    samples = await watched.prometheus.query(
        'catalog_operation_step_duration_seconds{operation="cleanup",outcome="done"}'
    )
    assert [sample.labels["step"] for sample in samples] == ["cleanup"]
    assert samples[0].value > 0


async def test_figures_when_the_node_works_then_they_are_of_this_very_node(
    watched: Watched,
) -> None:
    """Counters grow, and the node's own process is found."""
    for counter in ("catalog_host_cpu_seconds_total", "catalog_host_node_cpu_seconds_total"):
        assert await wait_for(watched.prometheus, f'rate({counter}{{node="{NODE}"}}[30s])') > 0
    clients = await watched.prometheus.query(f'catalog_node_clients{{node="{NODE}"}}')
    assert clients[0].value >= 2


async def test_advise_when_asked_on_live_figures_then_they_are_what_prometheus_has(
    watched: Watched, tmp_path: Path
) -> None:
    """What is advised on is recorded, and leads to the same advice again."""
    await wait_for(
        watched.prometheus, "vector(1) and on () count_over_time(catalog_ring_seen[20s]) > 8"
    )
    _read_products(6.0)
    record = tmp_path / "figures.json"
    done = watched.advise("--record", str(record))
    assert done.returncode == 0, done.stdout + done.stderr
    figures = read_figures(record)
    (node,) = figures.nodes
    load = await watched.prometheus.query("catalog_node_load_bytes")
    assert (node.node, node.load_bytes, node.up) == (NODE, load[0].value, True)
    assert 0 < (node.cpu_busy or 0) <= 1
    assert figures.read_p99_seconds
    advice = decide(figures, load_settings(AdviseSettings, WINDOWS))
    assert done.stdout.splitlines()[0] == advice.action.value


async def test_advise_when_live_figures_are_above_a_threshold_then_it_plans_the_addition(
    watched: Watched,
) -> None:
    """The next host of the inventory, by the command that a person would type."""
    busy = {
        "CATALOG_ADVISE_CPU_LOW": "0.0001",
        "CATALOG_ADVISE_CPU_LEFT": "0.0002",
        "CATALOG_ADVISE_CPU_HIGH": "0.0003",
    }
    done = watched.advise("--apply", "--dry-run", **busy)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("add\n  CPU: ")
    assert "catalog-ring add node2 --dry-run" in done.stdout
    assert "start Cassandra on node2" in done.stdout


async def test_advise_when_live_figures_are_below_every_threshold_then_it_leaves_one_node(
    watched: Watched,
) -> None:
    """A ring of one is never taken from, however idle."""
    idle = {
        "CATALOG_ADVISE_CPU_HIGH": "1",
        "CATALOG_ADVISE_DISK_HIGH": "1",
        "CATALOG_ADVISE_READ_P99_HIGH_SECONDS": "100",
        "CATALOG_ADVISE_COMPACTIONS_HIGH": "1000",
    }
    done = watched.advise("--apply", "--dry-run", **idle)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("nothing\n")
    assert "a ring keeps 3" in done.stdout


async def test_advise_when_the_window_is_not_covered_then_it_is_refused(watched: Watched) -> None:
    """A Prometheus that began a minute ago knows nothing of the last half an hour."""
    done = watched.advise(
        CATALOG_ADVISE_WINDOW_SECONDS="1800", CATALOG_ADVISE_SETTLE_SECONDS="3600"
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "of the last 1800 s are covered" in done.stderr


async def test_exporter_when_it_is_stopped_then_advice_is_refused(watched: Watched) -> None:
    """It ends well; what Prometheus has is of before, and no ground for advice."""
    watched.exporter.process.terminate()
    assert watched.exporter.process.wait(timeout=30) == 0
    await wait_for(watched.prometheus, 'vector(1) and on () up{job="catalog-ring"} == 0')
    done = watched.advise()
    assert done.returncode == 3, done.stdout + done.stderr
    assert "no figures for max(catalog_ring_moving_nodes)" in done.stderr
