"""A bar plot as SVG, written by hand: one panel a number of connections, whiskers low to high."""

from collections.abc import Sequence
from html import escape
from typing import Final

from benchmarks.comparison import Series
from benchmarks.results import Spread

LABEL_WIDTH: Final = 250
PLOT_WIDTH: Final = 520
FIGURE_WIDTH: Final = 110
BAR_HEIGHT: Final = 16
ROW_HEIGHT: Final = 24
PANEL_HEAD: Final = 34
MARGIN: Final = 12
OURS_COLOUR: Final = "#2563a8"
OTHER_COLOUR: Final = "#9aa5b1"


def requests_plot(series: Sequence[Series], *, highlighted: str) -> str:
    """Return requests/s of all series as SVG; names that begin with `highlighted` stand out."""
    spreads = [one.spread(lambda run: run.per_second) for one in series]
    scale = PLOT_WIDTH / max(spread.high for spread in spreads)
    parts: list[str] = []
    top = MARGIN
    for connections in dict.fromkeys(one.connections for one in series):
        parts.append(_text(MARGIN, top + 18, f"{connections} connections", bold=True))
        top += PANEL_HEAD
        for one, spread in zip(series, spreads, strict=True):
            if one.connections != connections:
                continue
            ours = one.name.startswith(highlighted)
            parts.append(_bar(one.name, spread, scale, top, OURS_COLOUR if ours else OTHER_COLOUR))
            top += ROW_HEIGHT
    width = LABEL_WIDTH + PLOT_WIDTH + FIGURE_WIDTH + MARGIN
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{top + MARGIN}"'
    lines = [f'{head} font-family="sans-serif" font-size="12">']
    lines += ["<title>Requests/s: median, low to high</title>"]
    lines += ['<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>"]
    return "\n".join(lines) + "\n"


def _bar(name: str, spread: Spread, scale: float, top: int, colour: str) -> str:
    middle = top + BAR_HEIGHT / 2
    low, high = LABEL_WIDTH + spread.low * scale, LABEL_WIDTH + spread.high * scale
    width = spread.median * scale
    bar = f'<rect x="{LABEL_WIDTH}" y="{top}" width="{width:.1f}" height="{BAR_HEIGHT}"'
    whisker = f"M{low:.1f} {middle} H{high:.1f} M{low:.1f} {middle - 4} v8"
    whisker += f" M{high:.1f} {middle - 4} v8"
    parts = [_text(MARGIN, top + 13, name), f'{bar} fill="{colour}"/>']
    parts += [f'<path d="{whisker}" stroke="black" fill="none"/>']
    parts += [_text(int(high) + 8, top + 13, f"{spread.median:,.0f}/s")]
    return "\n".join(parts)


def _text(left: int, base: int, content: str, *, bold: bool = False) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{left}" y="{base}"{weight}>{escape(content)}</text>'
