"""`catalog-etl load` run as a person would, in a process and session of its own."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.paths import NODE_STATE, REPOSITORY
from benchmarks.processes import StartError
from benchmarks.seeding import KEYSPACE

TIMEOUT_SECONDS: Final = 3 * 3600.0


def run_load(directory: Path, contact_points: Sequence[str], *, via: str) -> dict[str, Any]:
    """Load a directory as of now; return the report.

    Raises:
        StartError: the load did not finish.
    """
    report = NODE_STATE / "load_report.json"
    command = [sys.executable, "-m", "etl", "load", str(directory), "--via", via]
    command += ["--as-of", str(time.time_ns() // 1_000)]
    command += ["--report", str(report), "--rejects", str(NODE_STATE / "load_rejects")]
    environ = {
        **os.environ,
        "CATALOG_CONTACT_POINTS": ",".join(contact_points),
        "CATALOG_KEYSPACE": KEYSPACE,
        "CATALOG_LOAD_TEMP_DIRECTORY": str(NODE_STATE),
    }
    log = NODE_STATE / "logs" / "load.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        done = subprocess.run(
            command,
            cwd=REPOSITORY,
            env=environ,
            stdout=output,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SECONDS,
            check=False,
            # Linux shares the cores between sessions first (autogroup): in ours, the load would
            # take its share from whoever measures.
            start_new_session=True,
        )
    if done.returncode not in {0, 1}:
        last = log.read_text(encoding="utf-8").splitlines()[-1]
        raise StartError(f"the load of {directory} ended with {done.returncode}: {last}")
    told: dict[str, Any] = json.loads(report.read_text(encoding="utf-8"))
    return told
