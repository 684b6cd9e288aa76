"""The report as one page of HTML that needs nothing but itself: for people, screens and paper."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from typing import Any, Final

from etl.pace import clock_time, megabytes
from etl.plots import Bar, Series, bar_chart, escape, line_chart, short_number

_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_OUTCOMES: Final = {
    "written": "Written: every row that passed is stored.",
    "dry_run": "Dry run: nothing was written.",
    "too_many_rejects": "Too many rejects: nothing was written.",
    "unfinished": "Not finished: what passed is not all stored. Run the load again.",
    "failed": "Stopped before anything was written.",
}
_FILE_COUNTS: Final = ("rows_in", "loaded", "repaired_rows", "rejected_rows")
_LOUD: Final = frozenset({"too_many_rejects", "unfinished", "failed"})

Report = Mapping[str, Any]


def render_page(report: Report) -> bytes:
    """Return the page of a report that `build_report` made."""
    style = files("etl").joinpath("page.css").read_text(encoding="utf-8")
    title = f"Load of {' '.join(report['options'].get('inputs', ()))}"
    body = "\n".join(
        [
            _summary(report, title),
            _plots(report),
            _files(report),
            _rejects(report),
            _stages(report),
            _circumstances(report),
        ]
    )
    page = f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<main>
{body}
</main>
</body>
</html>
"""
    return page.encode()


def _summary(report: Report, title: str) -> str:
    rows, seconds = report["rows"], report["seconds"]
    rate = rows["in"] / seconds if seconds else 0.0
    outcome = report["outcome"]
    figures = [
        ("Rows in", f"{rows['in']:,}"),
        ("Loaded", f"{rows['loaded']:,}"),
        ("Rejected", f"{rows['rejected']:,}"),
        ("Repaired", f"{rows['repaired']:,}"),
        ("Rows written", f"{rows['written']:,}"),
        ("Time", clock_time(seconds)),
        ("Rows in a second", f"{rate:,.0f}"),
        ("Peak memory", megabytes(report["memory"]["peak_bytes"])),
    ]
    cells = "\n".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(figure)}</dd></div>" for name, figure in figures
    )
    error = f'<p class="loud">{escape(report["error"])}</p>' if report["error"] else ""
    return f"""<header>
<h1>{escape(title)}</h1>
<p class="{"loud" if outcome in _LOUD else "calm"}">{escape(_OUTCOMES.get(outcome, outcome))}
Exit status {report["exit_status"]}: {escape(report["exit_meaning"])}.</p>
{error}
<p>From {_moment(report["started_at"])} to {_moment(report["ended_at"])}.</p>
</header>
<dl class="figures">
{cells}
</dl>"""


def _plots(report: Report) -> str:
    return "\n".join([_rows_by_stage(report), _rejects_by_reason(report), _rows_over_time(report)])


def _rows_by_stage(report: Report) -> str:
    bars = [
        Bar(stage["name"], stage["rows"], f"{stage['rows']:,} in {stage['seconds']:.1f} s")
        for stage in report["stages"]
        if stage["rows"]
    ]
    if not bars:
        return _section("Rows by stage", "<p>No stage counted rows.</p>")
    text = "; ".join(f"{bar.label}: {bar.figure}" for bar in bars)
    return _figure("Rows by stage", bar_chart("stages", "Rows by stage", text, bars))


def _rejects_by_reason(report: Report) -> str:
    title = "Rejects by reason"
    bars = [Bar(_words(kind), rows, f"{rows:,}") for kind, rows in report["rejected"].items()]
    if not bars:
        return _section(title, "<p>No row was rejected.</p>")
    text = "; ".join(f"{bar.label}: {bar.figure}" for bar in bars)
    return _figure(title, bar_chart("rejects", title, text, bars))


def _rows_over_time(report: Report) -> str:
    title = "Rows per second over time"
    rates = report["rows_per_second"]
    series = [Series(work, values) for work, values in rates["by_work"].items()]
    if not series:
        return _section(title, "<p>No stage counted rows.</p>")
    text = "; ".join(f"{one.label}: up to {short_number(max(one.values))} rows/s" for one in series)
    plot = line_chart("rates", title, text, series, max(report["seconds"], 1e-3))
    return _figure(title, plot, "Mean rates of equal spans of time, stages of one kind together.")


def _files(report: Report) -> str:
    rows = [
        (name, "absent", "", "", "")
        if one["missing"]
        else (name, *(f"{one[key]:,}" for key in _FILE_COUNTS))
        for name, one in report["files"].items()
    ]
    heads = ("File", "Rows in", "Loaded", "Repaired", "Rejected")
    notes = [
        (name, word, _words(kind), f"{count:,}")
        for name, one in report["files"].items()
        for word in ("repaired", "rejected", "notes")
        for kind, count in one[word].items()
    ]
    not_read = ", ".join(report["not_read"])
    more = f"<p>Not read: {escape(not_read)}.</p>" if not_read else ""
    kinds = _table("What was found", ("File", "What", "Kind", "Rows"), notes, numbers=1)
    return _section("Files", _table("Rows by file", heads, rows, numbers=4) + more + kinds)


def _rejects(report: Report) -> str:
    if not report["rejects_files"]:
        return ""
    names = "".join(f"<li><code>{escape(name)}</code></li>" for name in report["rejects_files"])
    return _section("Where the rejects are", f"<ul>{names}</ul>")


def _stages(report: Report) -> str:
    rows = [
        (
            stage["name"],
            stage["work"],
            *(f"{stage[key]:,.1f}" for key in ("started_seconds", "seconds", "busy_seconds")),
            f"{stage['rows']:,}",
            f"{stage['rows_per_second']:,.0f}",
            f"{stage['bytes_per_second'] / 1e6:,.1f}",
        )
        for stage in report["stages"]
    ]
    heads = ("Stage", "Work", "Began, s", "Took, s", "Worked, s", "Rows", "Rows/s", "MB/s")
    total = sum(report["seconds_by_work"].values()) or 1.0
    shares = [
        (work, f"{seconds:,.1f}", f"{seconds / total:.0%}")
        for work, seconds in report["seconds_by_work"].items()
        if seconds
    ]
    return _section(
        "Stages",
        _table("Stages in their order", heads, rows, numbers=6)
        + _table("Time by work", ("Work", "Seconds", "Share"), shares, numbers=2),
    )


def _circumstances(report: Report) -> str:
    tables = [
        _table(title, ("Name", "Value"), list(_pairs(report[key])), numbers=0)
        for title, key in (
            ("Writer", "writer"),
            ("Memory, bytes", "memory"),
            ("Processor time, s", "cpu_seconds"),
            ("Options", "options"),
            ("Settings", "settings"),
            ("Versions", "versions"),
            ("Machine", "machine"),
        )
        if report[key]
    ]
    return _section("Circumstances", "".join(tables))


def _pairs(told: Mapping[str, Any], before: str = "") -> Iterable[tuple[str, str]]:
    for name, value in told.items():
        if isinstance(value, Mapping):
            yield from _pairs(value, f"{before}{name}.")
        else:
            shown = f"{value:,}" if isinstance(value, int) and value > 9_999 else str(value)
            yield f"{before}{name}", "" if value is None else shown


def _table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: int
) -> str:
    """Return a table whose last `numbers` columns are figures; nothing when it has no rows."""
    if not rows:
        return ""
    first = len(heads) - numbers
    head = "".join(
        f'<th scope="col"{_kind(place >= first)}>{escape(name)}</th>'
        for place, name in enumerate(heads)
    )
    lines = "\n".join(
        "<tr>"
        + "".join(
            f'<th scope="row">{escape(cell)}</th>'
            if place == 0
            else f"<td{_kind(place >= first)}>{escape(cell)}</td>"
            for place, cell in enumerate(row)
        )
        + "</tr>"
        for row in rows
    )
    return f"""<div class="wide" role="region" aria-label="{escape(caption)}" tabindex="0"><table>
<caption>{escape(caption)}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{lines}
</tbody>
</table></div>
"""


def _kind(is_number: object) -> str:
    return ' class="number"' if is_number else ""


def _section(title: str, content: str) -> str:
    return f"<section>\n<h2>{escape(title)}</h2>\n{content}\n</section>"


def _figure(title: str, plot: str, caption: str = "") -> str:
    told = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return _section(title, f"<figure>\n{plot}\n{told}</figure>")


def _moment(iso: str) -> str:
    shown = iso.replace("T", " ").replace("+00:00", " UTC")
    return f'<time datetime="{escape(iso)}">{escape(shown)}</time>'


def _words(kind: str) -> str:
    return kind.replace("_", " ")
