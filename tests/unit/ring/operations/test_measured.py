"""Figures from a Prometheus' answers, on a real socket that answers by the question."""

import json
import urllib.parse
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from ring.monitoring.prometheus import Prometheus
from ring.operations.advice import AdviseSettings
from ring.operations.figures import NodeFigures, RingFigures
from ring.operations.measured import fetch_figures, node_queries, ring_queries

SETTINGS = AdviseSettings()
A, B = "10.0.0.1:9042", "10.0.0.2:9042"
Answer = list[tuple[dict[str, str], str]]
OF_RING: dict[str, Answer] = {
    "time": [({}, "1000")],
    "nodes": [({"node": A, "rack": "a"}, "1"), ({"node": B, "rack": "b"}, "1")],
    "normal": [({"node": A}, "1"), ({"node": B}, "0")],
    "oldest": [({}, "990")],
    "oldest_cpu": [({}, "980")],
    "oldest_app": [({}, "985")],
    "covered": [({}, "1.03")],
    "quiet_covered": [({}, "0.5")],
    "read_p99": [({}, "0.02")],
    "replication_factor": [({}, "3")],
    "moving": [({}, "1")],
    "holders": [({"purpose": "add node4"}, "900")],
    "owed_cleanups": [({}, "2")],
    "joined": [({}, "100")],
    "changed": [({}, "200")],
}
OF_NODES: dict[str, Answer] = {
    "cpu_busy": [({"node": A}, "0.5")],
    "cpu_peak": [({"node": A}, "0.75"), ({"node": B}, "NaN")],
    "load_bytes": [({"node": A}, "100"), ({"node": B}, "200")],
    "disk_bytes": [({"node": A}, "1000"), ({"node": B}, "1000")],
    "disk_free_bytes": [({"node": A}, "600"), ({"node": B}, "500")],
    "pending_compactions": [({"node": A}, "4")],
}


async def _fetch(answers: Mapping[str, Answer]) -> RingFigures:
    """Return the figures that a Prometheus with these answers leads to."""
    queries = ring_queries(SETTINGS) | node_queries(SETTINGS)
    by_query = {queries[name]: answer for name, answer in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["query"][0]
            result = [
                {"metric": labels, "value": [1000.0, value]} for labels, value in by_query[asked]
            ]
            data = {"resultType": "vector", "result": result}
            body = json.dumps({"status": "success", "data": data}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            return await fetch_figures(
                Prometheus(f"http://127.0.0.1:{server.server_port}"), SETTINGS
            )
        finally:
            server.shutdown()
            thread.join()


async def test_fetch_figures_when_everything_is_told_then_it_is_all_there() -> None:
    """Each answer has its place; what is no number is not known."""
    figures = await _fetch(OF_RING | OF_NODES)
    assert figures == RingFigures(
        at=1000.0,
        oldest_at=980.0,
        covered=1.0,
        quiet_covered=0.5,
        replication_factor=3,
        nodes=(
            NodeFigures(A, "a", True, 0.5, 0.75, 100.0, 1000.0, 600.0, 4.0),
            NodeFigures(B, "b", False, None, None, 200.0, 1000.0, 500.0, None),
        ),
        read_p99_seconds=0.02,
        moving=1,
        holder="add node4",
        owed_cleanups=2,
        changed_at=200.0,
    )


async def test_fetch_figures_when_the_ring_is_at_rest_then_nothing_is_missing() -> None:
    """No holder of the lock, no change, no reads: all of that is well."""
    rest: dict[str, Answer] = {
        "read_p99": [({}, "NaN")],
        "holders": [],
        "joined": [],
        "changed": [],
    }
    figures = await _fetch(OF_RING | OF_NODES | rest)
    assert (figures.missing, figures.holder, figures.changed_at) == ((), "", 0.0)
    assert figures.read_p99_seconds is None


@pytest.mark.parametrize(
    "name", ["nodes", "normal", "oldest_app", "replication_factor", "moving", "owed_cleanups"]
)
async def test_fetch_figures_when_a_question_has_no_answer_then_it_is_named(name: str) -> None:
    """Advice on what nobody told is refused."""
    answers = OF_RING | OF_NODES
    answers[name] = []
    assert (await _fetch(answers)).missing == (ring_queries(SETTINGS)[name],)
