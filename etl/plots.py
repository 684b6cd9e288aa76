"""Plots as SVG for a page that loads nothing from anywhere: colours and fonts are the page's.

Every plot is an image with a title and a description for those who do not see it, and shows its
figures as text; colour never tells anything alone.
"""

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

WIDTH: Final = 720
_LABEL_CELLS: Final = 30
_BAR_LEFT: Final = 230
_BAR_RIGHT: Final = 540
_BAR_STEP: Final = 26
_BAR_HEIGHT: Final = 16
_PLOT_LEFT: Final = 66
_PLOT_RIGHT: Final = WIDTH - 30
_PLOT_TOP: Final = 34
_PLOT_BOTTOM: Final = 230
_PLOT_HEIGHT: Final = 272
_TICKS: Final = 5
_SERIES_CLASSES: Final = 6
_LEGEND_STEP: Final = 106


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: what it stands for, how long it is, and the figure written beside it."""

    label: str
    value: float
    figure: str


@dataclass(frozen=True, slots=True)
class Series:
    """One stepped line: a value for each of the equal spans of time that the plot covers."""

    label: str
    values: Sequence[float]


def escape(text: object) -> str:
    """Return text for HTML and SVG, also inside of attributes.

    Control characters, which no document may hold, and halves of characters become U+FFFD.
    """
    shown = "".join(
        one if one in "\n\t" or (ord(one) >= 0x20 and not 0x7F <= ord(one) < 0xA0) else "\ufffd"
        for one in str(text).encode(errors="replace").decode()
    )
    return html.escape(shown, quote=True)


def bar_chart(identifier: str, title: str, description: str, bars: Sequence[Bar]) -> str:
    """Return horizontal bars, the first on top; the longest takes the whole width.

    Args:
        identifier: unique on the page: letters only.
        title: what is shown.
        description: what it says, for those who do not see it.
        bars: at least one; values not below 0.
    """
    longest = max(bar.value for bar in bars) or 1.0
    parts: list[str] = []
    for place, bar in enumerate(bars):
        top = place * _BAR_STEP + (_BAR_STEP - _BAR_HEIGHT) // 2
        length = bar.value / longest * (_BAR_RIGHT - _BAR_LEFT)
        width = max(length, 1.5) if bar.value else 0
        base = top + _BAR_HEIGHT - 3
        parts += [
            "<g>",
            f"<title>{escape(bar.label)}: {escape(bar.figure)}</title>",
            _text(_BAR_LEFT - 10, base, _shorten(bar.label), "end"),
            _rectangle(_BAR_LEFT, top, width, _BAR_HEIGHT),
            _text(_BAR_LEFT + width + 8, base, bar.figure, "start"),
            "</g>",
        ]
    return _svg(identifier, title, description, len(bars) * _BAR_STEP, parts)


def line_chart(
    identifier: str, title: str, description: str, series: Sequence[Series], seconds: float
) -> str:
    """Return stepped lines over time from 0 to `seconds`; values start at 0.

    Args:
        identifier: unique on the page: letters only.
        title: what is shown.
        description: what it says, for those who do not see it.
        series: at most six are told apart by dashes; values not below 0.
        seconds: what the whole width stands for; above 0.
    """
    highest = max((value for one in series for value in one.values), default=0.0)
    top_value = nice_ceiling(highest)
    parts = _axes(top_value, seconds)
    for place, one in enumerate(series):
        kind = f"line s{place % _SERIES_CLASSES}"
        left = _PLOT_LEFT + place * _LEGEND_STEP
        parts += [
            _path(kind, _steps(one.values, top_value)),
            _path(kind, f"M{left} 12h30"),
            _text(left + 36, 16, one.label, "start"),
        ]
    parts.append(_text((_PLOT_LEFT + _PLOT_RIGHT) / 2, _PLOT_BOTTOM + 38, "time", "middle"))
    return _svg(identifier, title, description, _PLOT_HEIGHT, parts)


def _axes(top_value: float, seconds: float) -> list[str]:
    """Return lines across and round figures along both axes."""
    parts: list[str] = []
    for tick in range(_TICKS + 1):
        y = _PLOT_BOTTOM - (_PLOT_BOTTOM - _PLOT_TOP) * tick / _TICKS
        parts += [
            _path("grid", f"M{_PLOT_LEFT} {y:.1f}H{_PLOT_RIGHT}"),
            _text(_PLOT_LEFT - 8, y + 4, short_number(top_value * tick / _TICKS), "end"),
        ]
    step = nice_seconds(seconds / _TICKS)
    for tick in range(math.floor(seconds / step * (1 + 1e-9)) + 1):
        x = _PLOT_LEFT + (_PLOT_RIGHT - _PLOT_LEFT) * tick * step / seconds
        parts.append(_text(x, _PLOT_BOTTOM + 18, short_seconds(tick * step, seconds), "middle"))
    return parts


def _steps(values: Sequence[float], top_value: float) -> str:
    """Return the path of a stepped line."""
    if not values:
        return ""
    width = (_PLOT_RIGHT - _PLOT_LEFT) / len(values)
    moves = [f"M{_PLOT_LEFT} {_PLOT_BOTTOM}"]
    for place, value in enumerate(values):
        y = _PLOT_BOTTOM - (_PLOT_BOTTOM - _PLOT_TOP) * value / top_value
        moves.append(f"V{y:.1f}H{_PLOT_LEFT + (place + 1) * width:.1f}")
    return "".join(moves)


def _svg(identifier: str, title: str, description: str, height: int, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg role="img" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' aria-labelledby="{identifier}-title {identifier}-text">\n'
        f'<title id="{identifier}-title">{escape(title)}</title>\n'
        f'<desc id="{identifier}-text">{escape(description)}</desc>\n{body}\n</svg>'
    )


def _path(kind: str, moves: str) -> str:
    """Return a line that is one also where the page's style is not known."""
    return f'<path class="{kind}" fill="none" stroke="currentColor" d="{moves}"/>'


def _rectangle(x: float, y: float, width: float, height: float) -> str:
    return f'<rect class="bar" x="{x}" y="{y}" width="{width:.1f}" height="{height}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'


def _shorten(label: str) -> str:
    """Cut a label to what fits; the whole stands in its bar's title and in the page's table."""
    return label if len(label) <= _LABEL_CELLS else f"{label[: _LABEL_CELLS - 1]}\u2026"


def nice_ceiling(value: float) -> float:
    """Return the smallest 1, 2, 2.5 or 5 times a power of ten that is not below; 1 for nothing."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 2.5, 5, 10) if power * step >= value * (1 - 1e-9))


def nice_seconds(seconds: float) -> float:
    """Return the smallest round span of time that is not below: 20 s, 5 minutes, 2 hours."""
    if seconds <= 20:
        return nice_ceiling(seconds)
    return next(
        (one for one in (30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 10800) if one >= seconds),
        math.ceil(seconds / 21600) * 21600.0,
    )


def short_number(value: float) -> str:
    """Return `250 k` for 250,000."""
    for unit, name in ((1e9, " G"), (1e6, " M"), (1e3, " k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def short_seconds(seconds: float, longest: float) -> str:
    """Return `12 s` on an axis of up to two minutes, `1:05` or `1:01:40` on a longer one."""
    if longest <= 120:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"
