"""Plots are well-formed, labelled, to scale, and never let a name become markup."""

import re
from xml.etree import ElementTree as ET

import pytest

from etl.plots import (
    Bar,
    Series,
    bar_chart,
    escape,
    line_chart,
    nice_ceiling,
    nice_seconds,
    short_number,
    short_seconds,
)

_EVIL = "</title><script>alert('1')</script>&\"\x00\x1b\ud800"


def _parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314 - it is our own, of a moment ago


def _texts(root: ET.Element) -> list[str]:
    return [one.text or "" for one in root.iter("text")]


def test_bars_when_drawn_then_to_scale_with_names_and_figures() -> None:
    """The longest takes the whole width; something is never drawn as nothing."""
    bars = [Bar("read", 1000, "1,000"), Bar("write", 250, "250"), Bar("few", 0.001, "1")]
    root = _parse(bar_chart("stages", "Rows", "what it says", [*bars, Bar("none", 0, "0")]))
    widths = [float(one.attrib["width"]) for one in root.iter("rect")]
    assert widths[1] == pytest.approx(widths[0] / 4)
    assert widths[2] > 1
    assert widths[3] == 0
    assert _texts(root) == ["read", "1,000", "write", "250", "few", "1", "none", "0"]


def test_bars_when_all_are_zero_then_drawn_all_the_same() -> None:
    """No division by nothing."""
    assert 'width="0.0"' in bar_chart("x", "x", "x", [Bar("a", 0, "0")])


def test_plot_when_read_aloud_then_title_and_description() -> None:
    """Who does not see it is told what it says."""
    for svg in (
        bar_chart("bars", "A title", "A description", [Bar("a", 1, "1")]),
        line_chart("lines", "A title", "A description", [Series("a", [1.0])], 1.0),
    ):
        root = _parse(svg)
        assert root.attrib["role"] == "img"
        named = root.attrib["aria-labelledby"].split()
        told = {one.attrib["id"]: one.text for one in root.iter() if "id" in one.attrib}
        assert [told[name] for name in named] == ["A title", "A description"]


def test_lines_when_drawn_then_steps_to_scale_inside_of_the_plot() -> None:
    """Values stand between the axis and the top; the last step ends at the right edge."""
    svg = line_chart("x", "x", "x", [Series("read", [0.0, 50.0, 100.0])], 30.0)
    lines = [one for one in _parse(svg).iter("path") if one.attrib["class"] == "line s0"]
    path = lines[0].attrib["d"]
    heights = [float(one) for one in re.findall(r"V([\d.]+)", path)]
    rights = [float(one) for one in re.findall(r"H([\d.]+)", path)]
    bottom, middle, top = heights
    assert middle == pytest.approx((bottom + top) / 2)
    assert rights[-1] == 690
    assert _texts(_parse(svg))[-6:] == ["0 s", "10 s", "20 s", "30 s", "read", "time"]


def test_lines_when_two_then_told_apart_without_colour() -> None:
    """Dashes and a legend, for paper and for those who see no colours."""
    svg = line_chart("x", "x", "x", [Series("read", [1.0]), Series("write", [2.0])], 1.0)
    assert 'class="line s0"' in svg
    assert 'class="line s1"' in svg


def test_names_when_they_hold_markup_then_text() -> None:
    """Names of files and stages come from outside."""
    for svg in (
        bar_chart("x", _EVIL, _EVIL, [Bar(_EVIL, 1, _EVIL)]),
        line_chart("x", _EVIL, _EVIL, [Series(_EVIL, [1.0])], 1.0),
    ):
        root = _parse(svg)
        assert not list(root.iter("script"))
        assert (root[0].text or "").startswith("</title><script>alert('1')")
        svg.encode()
    assert escape("a\x00\x85\n<'\">") == "a\ufffd\ufffd\n&lt;&#x27;&quot;&gt;"


@pytest.mark.parametrize(
    ("value", "ceiling"),
    [(0, 1), (1, 1), (1.1, 2), (230, 250), (251, 500), (999, 1000), (0.3, 0.5), (1e9, 1e9)],
)
def test_axis_when_scaled_then_round_and_never_below(value: float, ceiling: float) -> None:
    """People read round figures."""
    assert nice_ceiling(value) == pytest.approx(ceiling)


@pytest.mark.parametrize(
    ("seconds", "span"), [(0.03, 0.05), (4.1, 5), (20, 20), (21, 30), (301, 600), (40_000, 43_200)]
)
def test_time_axis_when_scaled_then_round_spans(seconds: float, span: float) -> None:
    """Minutes and hours, not hundreds of seconds."""
    assert nice_seconds(seconds) == pytest.approx(span)


def test_figures_when_short_then_readable() -> None:
    """Units instead of zeros."""
    assert [short_number(one) for one in (0, 12.5, 999, 25_000, 1.5e6, 2e9)] == [
        "0",
        "12.5",
        "999",
        "25 k",
        "1.5 M",
        "2 G",
    ]
    assert [short_seconds(one, 9.0) for one in (0.25, 9)] == ["0.25 s", "9 s"]
    assert [short_seconds(one, 3700) for one in (0, 65, 3700)] == ["0:00", "1:05", "1:01:40"]
