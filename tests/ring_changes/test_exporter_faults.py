"""The exporter while nodes freeze, die and come back: each is a figure, and the page comes in time.

A ring of two nodes of its own, without the catalog's tables: those come in the end.
"""

import dataclasses
import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.process import ProcessRecord
from ring.nodes.settings import REPOSITORY
from ring.settings import RingSettings
from tests.support.ccm import installed_cassandra, open_ring, ring_settings_for_tests
from tests.support.monitoring import Exporter, running_exporter

PREFIX = "127.0.76."
FIRST, SECOND = f"{PREFIX}1:9042", f"{PREFIX}2:9042"
EXPORTER_PORT = 7767
DEADLINE_SECONDS = 6.0
# Rendering, and a machine that is busy starting nodes.
GRACE_SECONDS = 3.0
PATIENCE_SECONDS = 120.0

# Nodes that live for seconds, and keep what they are told through a kill.
QUICK = ("-XX:TieredStopAtLevel=1",)

pytestmark = [
    pytest.mark.ring,
    pytest.mark.timeout(600),
    # ccm 3.1.5 reads versions the old way and leaves its children's output open.
    pytest.mark.filterwarnings("ignore:distutils Version classes:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@dataclass(frozen=True, slots=True)
class Watched:
    """Two nodes and their exporter."""

    ring: LocalRing
    exporter: Exporter

    def wait(self, holds: Callable[[dict[str, float]], bool]) -> dict[str, float]:
        """Return the first page on which something holds; every page must come in time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            asked = time.monotonic()
            figures = self.exporter.figures()
            assert time.monotonic() - asked < DEADLINE_SECONDS + GRACE_SECONDS
            if holds(figures):
                return figures
            assert time.monotonic() < deadline, figures
            time.sleep(0.5)


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Two nodes and an exporter; stopped at the end."""
    settings = dataclasses.replace(
        ring_settings_for_tests(os.environ),
        nodes=2,
        address_prefix=PREFIX,
        jmx_port=7760,
        heap_mib=400,
    )
    ring = open_ring(settings, "exporter-ring", fresh=True, jvm_arguments=QUICK)
    environ = {name: value for name, value in os.environ.items() if "CATALOG_" not in name}
    environ |= {
        "CATALOG_STATE_DIRECTORY": str(tmp_path_factory.mktemp("exporter")),
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_ADDRESS_PREFIX": PREFIX,
        "CATALOG_EXPORTER_DEADLINE_SECONDS": str(DEADLINE_SECONDS),
        "CATALOG_EXPORTER_NGINX": "no",
    }
    log = Path(environ["CATALOG_STATE_DIRECTORY"]) / "exporter.log"
    try:
        ring.start()
        with running_exporter(environ, EXPORTER_PORT, log) as exporter:
            yield Watched(ring, exporter)
    finally:
        for node in ring.nodes:
            if (record := node.process()) is not None:
                record.signal(signal.SIGCONT)
        ring.stop()


def _process(ring: LocalRing, index: int) -> ProcessRecord:
    record = ring.nodes[index].process()
    assert record is not None
    return record


def _is(node: str, state: str) -> Callable[[dict[str, float]], bool]:
    return lambda figures: figures.get(f'catalog_node_state{{node="{node}",state="{state}"}}') == 1


def test_exporter_when_a_node_freezes_and_dies_then_that_is_a_figure(watched: Watched) -> None:
    """The others are told of as before, the page never waits longer than its deadline."""
    figures = watched.wait(_is(SECOND, "up_normal"))
    assert figures[f'catalog_node_answers{{node="{FIRST}"}}'] == 1
    assert figures[f'catalog_node_answers{{node="{SECOND}"}}'] == 1

    frozen = _process(watched.ring, 1)
    frozen.signal(signal.SIGSTOP)
    figures = watched.wait(_is(SECOND, "down_normal"))
    assert figures[f'catalog_node_answers{{node="{FIRST}"}}'] == 1
    assert figures[f'catalog_node_answers{{node="{SECOND}"}}'] == 0
    assert f'catalog_node_clients{{node="{FIRST}"}}' in figures
    assert f'catalog_node_clients{{node="{SECOND}"}}' not in figures
    frozen.signal(signal.SIGCONT)
    watched.wait(_is(SECOND, "up_normal"))

    frozen.signal(signal.SIGKILL)
    figures = watched.wait(_is(SECOND, "down_normal"))
    assert figures['catalog_ring_nodes{state="down_normal"}'] == 1
    assert figures['catalog_exporter_source_ok{source="ring"}'] == 1


def test_exporter_when_no_node_answers_then_it_says_so_and_goes_on(watched: Watched) -> None:
    """A ring that is down is told of; the same exporter sees it again when it is back."""
    _process(watched.ring, 0).signal(signal.SIGKILL)
    figures = watched.wait(lambda figures: figures["catalog_ring_seen"] == 0)
    assert figures['catalog_exporter_source_ok{source="ring"}'] == 0
    assert not any(name.startswith("catalog_node_") for name in figures)
    # A Prometheus keeps the targets that it has.
    assert watched.exporter.page("/app-servers")[0] == 503

    watched.ring.start()
    watched.wait(_is(FIRST, "up_normal"))
    watched.wait(_is(SECOND, "up_normal"))
    status, targets = watched.exporter.page("/app-servers")
    assert (status, json.loads(targets)) == (
        200,
        [{"targets": [f"{PREFIX}1:8080", f"{PREFIX}2:8080"]}],
    )


async def test_exporter_when_the_tables_come_later_then_it_reads_them(watched: Watched) -> None:
    """It began before there was a schema, and needs no restart for it."""
    figures = watched.wait(_is(FIRST, "up_normal"))
    assert figures['catalog_exporter_source_ok{source="journal"}'] == 0
    assert "catalog_ring_lock_held" not in figures
    await apply_schema(RingSettings(contact_points=(f"{PREFIX}1",)), REPOSITORY / "schema")
    figures = watched.wait(
        lambda figures: (
            figures['catalog_exporter_source_ok{source="journal"}'] == 1
            and "catalog_ring_lock_held" in figures
        )
    )
    assert figures["catalog_ring_lock_held"] == 0
    assert figures['catalog_ring_replication_factor{datacenter="datacenter1"}'] == 2
    assert figures[f'catalog_node_cleanup_owed{{node="{FIRST}"}}'] == 0
