"""Tables of measured series."""

from collections.abc import Callable, Sequence
from typing import Final

from benchmarks.comparison import Measurement, Series, paired_ratio
from benchmarks.results import markdown_table

HEADER: Final = (
    "server",
    "connections",
    "requests/s",
    "p50 ms",
    "p99 ms",
    "p99.9 ms",
    "server CPU µs",
    "Cassandra CPU µs",
    "errors",
)

RATIOS: Final[dict[str, Callable[[Measurement], float]]] = {
    "requests/s": lambda one: one.per_second,
    "p50": lambda one: one.p50,
    "p99": lambda one: one.p99,
    "CPU a request": lambda one: one.cpu,
}


def series_table(series: Sequence[Series]) -> str:
    """Return one line a series: medians, requests/s with their spread; CPU a request."""
    return markdown_table(HEADER, [_series_row(one) for one in series])


def _series_row(one: Series) -> list[str]:
    return [
        one.name,
        str(one.connections),
        one.spread(lambda run: run.per_second).text(),
        f"{one.spread(lambda run: run.p50).median:.2f}",
        f"{one.spread(lambda run: run.p99).median:.2f}",
        f"{one.spread(lambda run: run.p999).median:.2f}",
        f"{one.spread(lambda run: run.server_cpu).median:.1f}",
        f"{one.spread(lambda run: run.cassandra_cpu).median:.1f}",
        str(sum(run.errors for run in one.rounds)),
    ]


def ratio_table(series: Sequence[Series], ours: Sequence[str], others: Sequence[str]) -> str:
    """Return ours / other for each number of connections, paired round by round."""
    found = {(one.name, one.connections): one for one in series}
    rows = []
    for connections in dict.fromkeys(one.connections for one in series):
        for name in ours:
            for other in others:
                pair = found.get((name, connections)), found.get((other, connections))
                if pair[0] is None or pair[1] is None:
                    continue
                rows.append(_ratio_row(pair[0], pair[1]))
    return markdown_table(("ours / other", "connections", *RATIOS), rows)


def _ratio_row(ours: Series, other: Series) -> list[str]:
    ratios = [paired_ratio(ours, other, value).text(2) for value in RATIOS.values()]
    return [f"{ours.name} / {other.name}", str(ours.connections), *ratios]
