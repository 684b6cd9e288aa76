"""The page is one well-formed document that asks nobody for anything."""

import re
from html.parser import HTMLParser

import pytest

from etl.account import Outcome
from etl.exit_status import ExitStatus
from etl.page import render_page
from etl.record import LoadRecord
from etl.report import build_report
from tests.support.sample_record import EVIL, sample_record

_VOID = {"meta", "link"}
_OUTSIDE = ("src", "href", "action", "data", "srcset", "poster", "xlink:href", "formaction")


class _Page(HTMLParser):
    """What a browser makes of it: elements, their attributes, and text by the element around."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(page.decode())
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append((self.open[-1], data))

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all elements of a name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self, tag: str) -> list[str]:
        """The texts in elements of a name."""
        return [text for name, text in self.texts if name == tag]


def _page(record: LoadRecord, error: str = "") -> _Page:
    return _Page(render_page(build_report(record, exit_status=ExitStatus.REJECTS, error=error)))


def test_page_when_names_hold_markup_then_it_stays_one_document() -> None:
    """Names, reasons and errors come from outside; none becomes an element."""
    page = _page(sample_record(), error=f"cannot read {EVIL}")
    assert page.open == []
    tags = {tag for tag, _attributes in page.elements}
    assert not tags & {"script", "iframe", "img", "object", "embed", "form"}
    shown = EVIL.replace("\x1b", "\ufffd")
    assert f"Load of data {shown}" in page.text("h1")
    assert f"cannot read {shown}" in page.text("p")
    assert f"Not read: cart {shown}.csv." in page.text("p")
    assert not [name for _tag, one in page.elements for name in one if name.startswith("on")]


def test_page_when_opened_then_nothing_is_asked_for() -> None:
    """Neither by an attribute nor by its style; a policy forbids it as well."""
    page = _page(sample_record())
    outside = {one[name] for _tag, one in page.elements for name in _OUTSIDE if name in one}
    assert outside == {"data:,"}
    (style,) = page.text("style")
    assert not re.search(r"url\(|@import|https?:", style)
    policies = [one["content"] for one in page.all("meta") if "http-equiv" in one]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]


def test_page_when_read_then_figures_plots_and_tables() -> None:
    """Rows by stage, rejects by reason, rows/s over time; and the same as tables."""
    page = _page(sample_record())
    assert {"1,000", "990", "10", "0:08"} <= set(page.text("dd"))
    titles = page.text("h2")
    assert titles[:3] == ["Rows by stage", "Rejects by reason", "Rows per second over time"]
    assert len(page.all("svg")) == 3
    texts = page.text("text")
    assert {"invalid price", "9", "read product.csv", "1,000 in 4.0 s", "render"} <= set(texts)
    assert {"Rows by file", "Stages in their order", "Time by work"} <= set(page.text("caption"))
    assert "nested.name" in page.text("th")


def test_page_when_read_aloud_then_language_headings_and_labels() -> None:
    """One first heading, tables with captions and scopes, unique ids, plots with titles."""
    page = _page(sample_record())
    assert page.all("html") == [{"lang": "en"}]
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert len(page.text("caption")) == len(page.all("table"))
    assert all(one.get("scope") for one in page.all("th"))
    ids = [one["id"] for _tag, one in page.elements if "id" in one]
    assert len(ids) == len(set(ids))
    assert all(one["role"] == "img" for one in page.all("svg"))


def test_page_when_dark_or_printed_then_it_has_a_look_of_its_own() -> None:
    """Every colour is a variable that each look sets."""
    (style,) = _page(sample_record()).text("style")
    looks = re.findall(r":root \{(.*?)\}", style, re.DOTALL)
    names = [set(re.findall(r"(--\w+):", look)) for look in looks]
    assert len(names) == 3
    assert names[0] == names[1] == names[2]
    assert set(re.findall(r"var\((--\w+)\)", style)) == names[0]
    assert "@media (prefers-color-scheme: dark)" in style
    assert "@media print" in style


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_page_when_seen_then_every_colour_stands_out() -> None:
    """Text at 4.5 to 1 against the page, in each look."""
    (style,) = _page(sample_record()).text("style")
    for look in re.findall(r":root \{(.*?)\}", style, re.DOTALL):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", look))
        page = _luminance(colours["page"]) + 0.05
        for name in ("ink", "soft", "first", "second", "third", "loud"):
            other = _luminance(colours[name]) + 0.05
            assert max(page, other) / min(page, other) >= 4.5, name


@pytest.mark.parametrize("outcome", Outcome)
def test_page_when_a_load_ended_then_said_in_words(outcome: Outcome) -> None:
    """Each outcome has its sentence."""
    record = sample_record()
    assert record.account is not None
    record.account.outcome = outcome
    (sentence, *_rest) = _page(record).text("p")
    assert sentence.split("\n")[0].endswith(".")
    assert outcome.value not in sentence or outcome is Outcome.WRITTEN
    assert "Exit status 1: finished, some rows rejected." in sentence


def test_page_when_nothing_happened_then_still_a_page() -> None:
    """A load that failed at once has no stages and no account."""
    page = _page(LoadRecord(), error="no such directory")
    assert page.open == []
    assert "no such directory" in page.text("p")
    assert not page.all("svg")
