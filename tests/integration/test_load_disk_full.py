"""The disk of the loader is full: it stops and says so, and goes on once there is room."""

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from etl.exit_status import ExitStatus
from ring import RingSettings
from ring.nodes.settings import REPOSITORY
from tests.support.legacy_files import write_files
from tests.support.stored_tables import read_tables

PRODUCTS = 30_000
# In a mount namespace of its own, a small disk for the load's work; then the same disk, larger.
_SCRIPT = """
mount -t tmpfs -o size={small} none {work} || exit 99
"$@"; echo "first $?" >&2
mount -o remount,size=500m {work} || exit 99
"$@"; echo "second $?" >&2
"""


def _unshare() -> list[str] | None:
    unshare = shutil.which("unshare")
    if unshare is None:
        return None
    rights = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    command = [unshare, "--mount", *rights]
    tried = subprocess.run([*command, "true"], capture_output=True, check=False)
    return command if tried.returncode == 0 else None


@pytest.mark.skipif(_unshare() is None, reason="this machine grants no mount namespace")
@pytest.mark.parametrize("small", ["2m", "9m"])
async def test_load_when_the_disk_is_full_then_stops_and_goes_on_later(
    small: str, ring_settings: RingSettings, tmp_path: Path
) -> None:
    """While the files are read, and later: nothing is lost, and nothing done is done again."""
    files, work = tmp_path / "files", tmp_path / "work"
    for one in (files, work):
        await asyncio.to_thread(one.mkdir)
    text = '"' + "x" * 100 + '"'
    rows = "".join(f'{one},{text},{text},{text},"d",1\n' for one in range(1, PRODUCTS + 1))
    write_files(files, {"product": rows})
    unshare = _unshare()
    assert unshare is not None
    process = await asyncio.create_subprocess_exec(
        *unshare, "sh", "-c", _SCRIPT.format(small=small, work=work), "sh",
        sys.executable, "-m", "etl", "load", str(files),
        cwd=REPOSITORY,
        env=os.environ
        | {
            "CATALOG_CONTACT_POINTS": ",".join(ring_settings.contact_points),
            "CATALOG_KEYSPACE": ring_settings.keyspace,
            "CATALOG_LOAD_TEMP_DIRECTORY": str(work),
        },
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(100):
        _, told = await process.communicate()
    first, _, second = told.decode().partition("first ")
    assert second.startswith(f"{int(ExitStatus.FATAL)}\n"), told.decode()
    assert "space" in first, first
    assert "goes on with what an earlier run left" in second, second
    assert second.endswith(f"second {int(ExitStatus.CLEAN)}\n"), second
    stored = await read_tables(ring_settings)
    assert stored.product_ids() == stored.listed_ids() == list(range(1, PRODUCTS + 1))
