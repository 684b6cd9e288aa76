"""The figures to advise on, as a Prometheus has them.

Windows come from the settings; the names are those of `ring/monitoring/names.py` and of the app
servers. An exporter may run twice, so figures of a node are the greatest of what was told.
"""

import asyncio
import math
from dataclasses import dataclass
from typing import Final

from ring.monitoring.prometheus import Prometheus, Sample
from ring.operations.advice import AdviseSettings
from ring.operations.figures import NodeFigures, RingFigures

_BUSY: Final = (
    # The ends of a range are estimated, so a host that is all busy may seem to be more.
    "clamp_max(max by (node) ("
    "rate(catalog_host_cpu_seconds_total[{rate}s]) / catalog_host_cpu_cores), 1)"
)
_READS: Final = 'route=~"/products.*",status=~"200|304"'
_POINTS: Final = 30
_QUIET_POINTS: Final = 288
_LEAST_STEP_SECONDS: Final = 10
_CHANGES: Final = (
    'catalog_operation_timestamp_seconds{operation=~"add|remove|replace",outcome="done"}'
)


@dataclass(frozen=True, slots=True)
class _Window:
    """A window, cut into steps; a rate is taken over twice as much as a step."""

    seconds: int
    step_seconds: int

    @classmethod
    def of(cls, seconds: float, points: int) -> "_Window":
        return cls(round(seconds), max(_LEAST_STEP_SECONDS, round(seconds / points)))

    def quantile(self, share: float, expression: str) -> str:
        filled = expression.format(rate=2 * self.step_seconds)
        return f"quantile_over_time({share}, ({filled})[{self.seconds}s:{self.step_seconds}s])"

    def covered(self, expression: str) -> str:
        """The share of the steps at which there was a figure, of the best covered node."""
        count = f"count_over_time(({expression})[{self.seconds}s:{self.step_seconds}s])"
        return f"max({count}) / {self.seconds // self.step_seconds}"


def node_queries(settings: AdviseSettings) -> dict[str, str]:
    """Return the expressions of what each node is asked for, by the names in NodeFigures."""
    window = _Window.of(settings.advise_window_seconds, _POINTS)
    quiet = _Window.of(settings.advise_quiet_seconds, _QUIET_POINTS)
    return {
        "cpu_busy": window.quantile(0.25, _BUSY),
        "cpu_peak": quiet.quantile(0.95, _BUSY),
        "load_bytes": "max by (node) (catalog_node_load_bytes)",
        "disk_bytes": "max by (node) (catalog_host_disk_bytes)",
        "disk_free_bytes": "min by (node) (catalog_host_disk_free_bytes)",
        "pending_compactions": window.quantile(
            0.25, "max by (node) (catalog_node_pending_compactions)"
        ),
    }


def ring_queries(settings: AdviseSettings) -> dict[str, str]:
    """Return the expressions of what is asked of the ring as a whole."""
    window = _Window.of(settings.advise_window_seconds, _POINTS)
    quiet = _Window.of(settings.advise_quiet_seconds, _QUIET_POINTS)
    return {
        "time": "time()",
        "nodes": "max by (node, rack) (catalog_node_info)",
        "normal": 'max by (node) (catalog_node_state{state="up_normal"})',
        "oldest": "min(timestamp(catalog_node_state))",
        "oldest_cpu": "min(timestamp(catalog_host_cpu_seconds_total))",
        "oldest_app": "min(timestamp(catalog_workers))",
        "covered": window.covered("max by (node) (catalog_host_cpu_seconds_total)"),
        "quiet_covered": quiet.covered("max by (node) (catalog_host_cpu_seconds_total)"),
        "read_p99": "histogram_quantile(0.99, sum by (le) (rate("
        f"catalog_request_duration_seconds_bucket{{{_READS}}}[{window.seconds}s])))",
        "replication_factor": "max(catalog_ring_replication_factor)",
        "moving": "max(catalog_ring_moving_nodes)",
        "holders": "max by (purpose) (catalog_ring_lock_since_timestamp_seconds)",
        "owed_cleanups": "sum(max by (node) (catalog_node_cleanup_owed))",
        "joined": "max(catalog_node_joined_timestamp_seconds)",
        "changed": f"max({_CHANGES})",
    }


# What a ring that is at rest has none of; without cover, advice is refused for that.
_MAY_BE_EMPTY: Final = ("read_p99", "holders", "joined", "changed", "covered", "quiet_covered")
_OLDEST: Final = ("oldest", "oldest_cpu", "oldest_app")


async def fetch_figures(prometheus: Prometheus, settings: AdviseSettings) -> RingFigures:
    """Ask a Prometheus for everything that advice is made of.

    Raises:
        PrometheusError: it does not answer.
    """
    of_ring, of_nodes = ring_queries(settings), node_queries(settings)
    # All at one moment, as near as may be; a Prometheus answers these in milliseconds.
    answers = await asyncio.gather(
        *(prometheus.query(query) for query in (*of_ring.values(), *of_nodes.values()))
    )
    ring = dict(zip(of_ring, answers, strict=False))
    nodes = dict(zip(of_nodes, answers[len(of_ring) :], strict=True))
    missing = [of_ring[name] for name in of_ring if name not in _MAY_BE_EMPTY and not ring[name]]
    told_at = [ring[name][0].value for name in _OLDEST if ring[name]]
    return RingFigures(
        at=_one(ring["time"], 0.0),
        oldest_at=min(told_at, default=0.0),
        covered=min(1.0, _one(ring["covered"], 0.0)),
        quiet_covered=min(1.0, _one(ring["quiet_covered"], 0.0)),
        replication_factor=round(_one(ring["replication_factor"], 0.0)),
        nodes=_nodes(ring["nodes"], ring["normal"], nodes),
        read_p99_seconds=_known(_one(ring["read_p99"], math.nan)),
        moving=round(_one(ring["moving"], 0.0)),
        holder=", ".join(sorted(sample.labels["purpose"] for sample in ring["holders"])),
        owed_cleanups=round(_one(ring["owed_cleanups"], 0.0)),
        changed_at=max(_one(ring["joined"], 0.0), _one(ring["changed"], 0.0)),
        missing=tuple(missing),
    )


def _nodes(
    infos: list[Sample], normal: list[Sample], figures: dict[str, list[Sample]]
) -> tuple[NodeFigures, ...]:
    up = {sample.labels["node"] for sample in normal if sample.value}
    told = {
        name: {sample.labels["node"]: _known(sample.value) for sample in samples}
        for name, samples in figures.items()
    }
    racks = {sample.labels["node"]: sample.labels.get("rack", "") for sample in infos}
    return tuple(
        NodeFigures(
            node=node,
            rack=rack,
            up=node in up,
            **{name: values.get(node) for name, values in told.items()},
        )
        for node, rack in sorted(racks.items())
    )


def _one(samples: list[Sample], default: float) -> float:
    return samples[0].value if samples else default


def _known(value: float) -> float | None:
    return None if math.isnan(value) else value
