"""Latency over time as SVG, written by hand: a panel a run, the time of the load shaded."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

LEFT: Final = 70
PLOT_WIDTH: Final = 700
PLOT_HEIGHT: Final = 150
PANEL_HEIGHT: Final = PLOT_HEIGHT + 70
MARGIN: Final = 12
LINE_COLOUR: Final = "#2563a8"
SHADE_COLOUR: Final = "#e8edf3"


@dataclass(frozen=True, slots=True)
class Panel:
    """One run.

    Attributes:
        name: its heading.
        points: (second, milliseconds), ascending.
        shaded: the seconds from and to which the load ran.
    """

    name: str
    points: Sequence[tuple[float, float]]
    shaded: tuple[float, float]


def latency_plot(panels: Sequence[Panel], *, what: str) -> str:
    """Return all panels below each other; the axis of milliseconds is logarithmic, the same in all.

    Args:
        panels: with at least one point above 0 each.
        what: is plotted.
    """
    values = [value for panel in panels for _, value in panel.points if value > 0]
    lowest, highest = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    span = (lowest, max(highest, lowest + 1))
    width, height = LEFT + PLOT_WIDTH + MARGIN, PANEL_HEIGHT * len(panels) + MARGIN
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}"'
    lines = [
        f'{head} font-family="sans-serif" font-size="12">',
        f"<title>{escape(what)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
    ]
    for index, panel in enumerate(panels):
        lines += _panel(panel, what, span, index * PANEL_HEIGHT + MARGIN)
    return "\n".join([*lines, "</svg>"]) + "\n"


def _panel(panel: Panel, what: str, span: tuple[int, int], top: int) -> list[str]:
    first, last = panel.points[0][0], panel.points[-1][0]
    plot_top = top + 26

    def across(second: float) -> float:
        return LEFT + (second - first) / max(last - first, 1.0) * PLOT_WIDTH

    def down(value: float) -> float:
        share = (math.log10(max(value, 10 ** span[0])) - span[0]) / (span[1] - span[0])
        return plot_top + (1 - share) * PLOT_HEIGHT

    begun, ended = (across(second) for second in panel.shaded)
    shade = f'<rect x="{begun:.1f}" y="{plot_top}" width="{ended - begun:.1f}"'
    lines = [
        _text(LEFT, top + 14, f"{panel.name}: {what}", "start", bold=True),
        f'{shade} height="{PLOT_HEIGHT}" fill="{SHADE_COLOUR}"/>',
    ]
    for power in range(span[0], span[1] + 1):
        at = down(10**power)
        lines.append(f'<path d="M{LEFT} {at:.1f} h{PLOT_WIDTH}" stroke="#c5ccd4"/>')
        lines.append(_text(LEFT - 6, at + 4, f"{10**power:g} ms", "end"))
    below = plot_top + PLOT_HEIGHT + 16
    ticks = (0.0, panel.shaded[1], last)
    lines += [_text(across(second), below, f"{second:.0f} s", "middle") for second in ticks]
    path = " L".join(f"{across(second):.1f} {down(value):.1f}" for second, value in panel.points)
    lines.append(f'<path d="M{path}" stroke="{LINE_COLOUR}" fill="none" stroke-width="1.5"/>')
    return lines


def _text(left: float, base: float, content: str, anchor: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return (
        f'<text x="{left:.1f}" y="{base:.1f}" text-anchor="{anchor}"{weight}>{escape(content)}'
        "</text>"
    )
