"""The report of a load: one JSON object with all that is known of it, also of one that failed.

`etl/REPORT.md` describes every field. The page (`etl/page.py`) shows this object and nothing else.
"""

import argparse
import dataclasses
import math
import os
import platform
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import duckdb
import orjson

from etl.account import Outcome
from etl.exit_status import ExitStatus
from etl.memory import cpu_seconds
from etl.record import LoadRecord, Stage, Work
from etl.timeline import rows_per_second

FORMAT: Final = 1
"""Grows when a field changes its meaning or goes; new fields may come without."""
BINS_LIMIT: Final = 120
_NOT_OPTIONS: Final = frozenset({"run"})


def build_report(
    record: LoadRecord,
    *,
    exit_status: ExitStatus,
    error: str = "",
) -> dict[str, Any]:
    """Return the report of a load that has ended.

    Args:
        record: what it left behind.
        exit_status: how the program ends.
        error: what stopped it, in the words of the command line.
    """
    report: dict[str, Any] = {
        "format": FORMAT,
        "exit_status": int(exit_status),
        "exit_meaning": exit_status.meaning,
        "error": error,
        "started_at": record.started_at.isoformat(timespec="milliseconds"),
        "ended_at": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "seconds": round(record.seconds, 3),
        "versions": {
            "catalog": version("catalog"),
            "duckdb": duckdb.__version__,
            "python": platform.python_version(),
        },
        "machine": {"system": " ".join(os.uname()[::2]), "cores": os.cpu_count()},
        "options": record.options,
        "settings": dataclasses.asdict(record.settings) if record.settings else {},
        **_judged(record),
        "rejects_files": record.rejects_files,
        "stages": [_stage(stage, record.started) for stage in record.stages],
        "seconds_by_work": {work: round(record.busy_seconds(work), 3) for work in Work},
        "rows_per_second": _rates(record),
        "memory": record.memory.as_json(),
        "cpu_seconds": {whose: round(told, 3) for whose, told in cpu_seconds().items()},
        "writer": dict(record.writer()),
    }
    plain: dict[str, Any] = _plain(report)
    return plain


def options_of(given: argparse.Namespace) -> dict[str, object]:
    """Return what a command was asked for, by the names of its arguments."""
    return {name: value for name, value in vars(given).items() if name not in _NOT_OPTIONS}


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there as a whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_bytes(content)
    unfinished.replace(path)


def encode_report(report: Mapping[str, Any]) -> bytes:
    """Return the report as the JSON of `--report`."""
    return orjson.dumps(report, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _judged(record: LoadRecord) -> dict[str, Any]:
    """Return the account, or what stands for it in a load that did not come that far."""
    account = record.account
    rejected: Counter[str] = Counter()
    if account is None:
        for (_file, kind), count in record.rejected.items():
            rejected[kind] += count
        told: dict[str, Any] = {
            "as_of_microseconds": None,
            "outcome": Outcome.FAILED,
            "rows_written": 0,
            "not_read": (),
            "files": {},
        }
        read = record.rows(Work.READ)
        rows = {"in": read, "loaded": 0, "repaired": 0, "rejected": rejected.total()}
    else:
        for one in account.files.values():
            rejected.update(one.rejected)
        told = account.as_json()
        files = account.files.values()
        rows = {
            "in": account.rows_in,
            "loaded": sum(one.loaded for one in files),
            "repaired": sum(one.repaired_rows for one in files),
            "rejected": account.rejected_rows,
        }
    rows["written"] = record.rows(Work.WRITE)
    return {**told, "rows": rows, "rejected": dict(rejected.most_common())}


def _stage(stage: Stage, load_started: float) -> dict[str, Any]:
    done, seconds = stage.done, stage.seconds
    return {
        "name": stage.name,
        "work": stage.work,
        "file": stage.file,
        "ended": stage.ended is not None,
        "started_seconds": round(stage.started - load_started, 3),
        "seconds": round(seconds, 3),
        "busy_seconds": round(stage.busy_seconds, 3),
        "rows": done.rows,
        "bytes": done.bytes,
        "rows_per_second": round(done.rows / seconds, 1) if seconds > 0 else 0.0,
        "bytes_per_second": round(done.bytes / seconds, 1) if seconds > 0 else 0.0,
        "timeline": [
            [round(point.seconds - load_started, 3), point.rows, point.bytes]
            for point in stage.timeline.points
        ],
    }


def _rates(record: LoadRecord) -> dict[str, Any]:
    """Return rows/s of each work in equal spans of time, from the load's beginning to its end."""
    seconds = max(record.seconds, 1e-6)
    bins = min(max(math.ceil(seconds), 1), BINS_LIMIT)
    by_work: dict[str, list[float]] = {}
    for work in Work:
        timelines = [
            stage.timeline.points
            for stage in record.stages
            if stage.work is work and stage.done.rows
        ]
        if timelines:
            end = record.started + seconds
            rates = rows_per_second(timelines, record.started, end, bins)
            by_work[work] = [round(rate, 1) for rate in rates]
    return {"span_seconds": round(seconds / bins, 6), "by_work": by_work}


def _plain(value: object) -> Any:
    """Return a value in types that JSON has; names of files need not be valid text."""
    if isinstance(value, Mapping):
        return {_text(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _text(value)


def _text(value: object) -> str:
    return str(value).encode(errors="backslashreplace").decode()
