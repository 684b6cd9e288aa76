"""Figures as plain data: what one process publishes and what several add up to.

A figure is found by its name and its label values; `metrics` knows what the names mean.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

Key = tuple[str, tuple[str, ...]]


@dataclass(slots=True)
class Figures:
    """Numbers by name and label values.

    Attributes:
        counters: only ever grow while their process lives.
        gauges: how things stand now; gone with their process.
        histograms: counts of each bucket, not cumulated, and the sum of what was observed.
    """

    counters: dict[Key, float] = field(default_factory=dict)
    gauges: dict[Key, float] = field(default_factory=dict)
    histograms: dict[Key, tuple[list[int], float]] = field(default_factory=dict)

    def add(self, other: "Figures") -> None:
        """Add another process's figures to these."""
        self.add_lasting(other)
        for key, value in other.gauges.items():
            self.gauges[key] = self.gauges.get(key, 0) + value

    def add_lasting(self, other: "Figures") -> None:
        """Add what outlives a process: its counters and histograms."""
        for key, value in other.counters.items():
            self.counters[key] = self.counters.get(key, 0) + value
        for key, (counts, total) in other.histograms.items():
            mine = self.histograms.get(key)
            if mine is None:
                self.histograms[key] = (list(counts), total)
            else:
                added = [left + right for left, right in zip(mine[0], counts, strict=True)]
                self.histograms[key] = (added, mine[1] + total)


def encode(figures: Figures, *, names: Iterable[str] = ()) -> bytes:
    """Return figures as JSON; `names` are the publications that went into them."""
    return orjson.dumps(
        {
            "names": list(names),
            "counters": [[*key, value] for key, value in figures.counters.items()],
            "gauges": [[*key, value] for key, value in figures.gauges.items()],
            "histograms": [[*key, *value] for key, value in figures.histograms.items()],
        }
    )


def decode(data: bytes) -> tuple[Figures, list[str]]:
    """Return the figures and names of `encode`."""
    plain = orjson.loads(data)
    figures = Figures(
        counters={(name, tuple(labels)): value for name, labels, value in plain["counters"]},
        gauges={(name, tuple(labels)): value for name, labels, value in plain["gauges"]},
        histograms={
            (name, tuple(labels)): (counts, total)
            for name, labels, counts, total in plain["histograms"]
        },
    )
    return figures, plain["names"]
