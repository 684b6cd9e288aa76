"""A node whose disk fills up under a load, in network and mounts that nobody else sees.

unshare --net --mount python -m tests.support.full_disk driver|sstable DIRECTORY

Asserts all that it claims; DIRECTORY keeps the node's log.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from etl.exit_status import ExitStatus
from etl.writers.choice import Via
from ring import RingSettings
from ring.apply_schema import apply_schema
from ring.nodes.local_ring import LocalRing
from ring.nodes.settings import REPOSITORY
from tests.support.ccm import installed_cassandra, ring_of_one
from tests.support.legacy_files import write_files
from tests.support.stored_tables import read_tables

ADDRESS_PREFIX = "127.0.13."
SETTINGS = RingSettings(contact_points=(ADDRESS_PREFIX + "1",), keyspace="full_disk")
JMX_PORT = 17_390
DISK_MIB = 512
FREE_MIB = 30
GIVE_UP_SECONDS = 5
LOCK_SECONDS = 120.0
# Commit log or SSTables of these take more than what is free.
PRODUCTS = 6_000
DESCRIPTION_BYTES = 4_000


def main() -> None:
    """Fill the disk, load, make space, load again, verify."""
    via, directory = Via(sys.argv[1]), Path(sys.argv[2])
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    disk, files, scratch = (directory / name for name in ("disk", "files", "scratch"))
    for one in (disk, files, scratch):
        one.mkdir()
    size = f"size={DISK_MIB}m"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(disk)], check=True)
    os.environ |= {
        "CATALOG_CASSANDRA_DIRECTORY": str(installed_cassandra(os.environ)),
        "CATALOG_STATE_DIRECTORY": str(disk),
        "CATALOG_CONTACT_POINTS": ",".join(SETTINGS.contact_points),
        "CATALOG_KEYSPACE": SETTINGS.keyspace,
        "CATALOG_LOAD_GIVE_UP_SECONDS": str(GIVE_UP_SECONDS),
        "CATALOG_LOAD_WRITE_TIMEOUT_SECONDS": "3",
        "CATALOG_LOAD_TEMP_DIRECTORY": str(scratch),
    }
    rows = (f'{number},"a","b","{_text(number)}","d",1\n' for number in range(1, PRODUCTS + 1))
    write_files(files, {"product": "".join(rows)})
    with ring_of_one("full-disk-ring", ADDRESS_PREFIX, JMX_PORT) as ring:
        try:
            ring.start()
            asyncio.run(apply_schema(SETTINGS, REPOSITORY / "schema"))
            _load_onto_full_disk(ring, via, files, disk / "ballast")
        finally:
            shutil.copy(ring.nodes[0].system_log, directory / "system.log")


def _text(number: int) -> str:
    """Return a text of its own for each product."""
    return f"{number * 7919 % 99_991:05d}" * (DESCRIPTION_BYTES // 5)


def _load_onto_full_disk(ring: LocalRing, via: Via, files: Path, ballast: Path) -> None:
    leave_free(ballast)
    started = time.monotonic()
    stopped = _etl("load", str(files), "--via", via)
    assert stopped.returncode == ExitStatus.FATAL, stopped.stderr
    assert "NOT finished: what passed is not all stored; run the load again" in stopped.stdout
    assert "Traceback" not in stopped.stderr
    if via is Via.SSTABLE:
        assert f"the disk of {SETTINGS.contact_points[0]} is full" in stopped.stderr
        # Nothing was put onto the full disk, so the node lives.
        assert ring.nodes[0].answers()
        assert not asyncio.run(read_tables(SETTINGS)).product_ids()
    else:
        assert f"no node took it for {GIVE_UP_SECONDS} s" in stopped.stderr
        assert time.monotonic() - started < 60 + GIVE_UP_SECONDS
    ballast.unlink()
    if via is Via.DRIVER:
        # Cassandra ends, or serves nobody, when it cannot write its commit log.
        ring.stop()
        ring.start()
    finished = _load_once_unlocked(files, via)
    assert finished.returncode == ExitStatus.CLEAN, finished.stderr
    verified = _etl("verify", str(files), "--all")
    assert verified.returncode == ExitStatus.CLEAN, verified.stdout + verified.stderr


def _load_once_unlocked(files: Path, via: Via) -> subprocess.CompletedProcess[str]:
    """Load, once the lock that a load could not give back to a dead node has expired."""
    give_up_at = time.monotonic() + LOCK_SECONDS
    while True:
        done = _etl("load", str(files), "--via", via)
        if "ring is locked by" not in done.stderr or time.monotonic() > give_up_at:
            return done
        time.sleep(2.0)


def leave_free(ballast: Path) -> None:
    """Fill a disk with one file, all but `FREE_MIB`."""
    free_bytes = shutil.disk_usage(ballast.parent).free
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free_bytes - FREE_MIB * 1024**2)


def _etl(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "etl", *arguments],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


if __name__ == "__main__":
    main()
