"""Standard input as one of a load's files."""

import asyncio
import gzip
import json
import os
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from etl.identity import Identity
from etl.standard_input import copy_standard_input
from ring.nodes.settings import REPOSITORY
from tests.support.legacy_files import HEADERS, PRODUCT_1, read_rejects


async def test_copy_when_more_than_a_pipe_holds_then_every_byte(tmp_path: Path) -> None:
    """The writer is slower than the reader, then faster, then done."""
    content = os.urandom(3 * 2**20)
    reading, writing = os.pipe()

    def write() -> None:
        with os.fdopen(writing, "wb") as stream:
            for start in range(0, len(content), 2**19):
                stream.write(content[start : start + 2**19])
                stream.flush()

    try:
        copied, _ = await asyncio.gather(
            copy_standard_input(reading, tmp_path / "copy"), asyncio.to_thread(write)
        )
    finally:
        os.close(reading)
    assert copied == Identity(len(content), None, sha256(content).hexdigest())
    assert (tmp_path / "copy").read_bytes() == content


async def test_copy_when_it_is_a_file_then_the_same(tmp_path: Path) -> None:
    """`load product=- < product.csv`."""
    (tmp_path / "file").write_bytes(b"x" * 100)
    with (tmp_path / "file").open("rb") as stream:
        copied = await copy_standard_input(stream.fileno(), tmp_path / "copy")
    assert copied.size_bytes == 100


async def test_copy_when_interrupted_then_nobody_waits_for_the_other_end(tmp_path: Path) -> None:
    """An interrupted load ends though the pipe stays open and silent."""
    reading, writing = os.pipe()
    try:
        task = asyncio.create_task(copy_standard_input(reading, tmp_path / "copy"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        # Waits for the threads, as the end of the program does.
        await asyncio.wait_for(asyncio.get_running_loop().shutdown_default_executor(), 30)
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.parametrize("is_packed", [False, True])
def test_command_when_a_table_comes_from_standard_input_then_loaded(
    tmp_path: Path, *, is_packed: bool
) -> None:
    """Packed or not, beside a file; the account calls it `-`."""
    (tmp_path / "skus.csv").write_text(f"{HEADERS['skus']}\n1,1,S,1\n")
    text = f"{HEADERS['product']}\n{PRODUCT_1}2,a,b,c,d,free\n".encode()
    command = [
        sys.executable, "-m", "etl", "load", "product=-", str(tmp_path / "skus.csv"), "--dry-run",
        "--as-of", "2020-01-01", "--report", str(tmp_path / "report.json"),
        "--rejects", str(tmp_path / "rejects"),
    ]  # fmt: skip
    done = subprocess.run(
        command,
        input=gzip.compress(text) if is_packed else text,
        cwd=REPOSITORY,
        capture_output=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 1, done.stderr.decode()
    account = json.loads((tmp_path / "report.json").read_text())
    assert account["as_of_microseconds"] == 1_577_836_800_000_000
    assert account["files"]["-"]["table"] == "product"
    assert (account["files"]["-"]["rows_in"], account["files"]["-"]["loaded"]) == (2, 1)
    rejects = read_rejects(tmp_path / "rejects.csv")
    assert [(one["file"], one["line"], one["text"]) for one in rejects] == [
        ("-", 3, "2,a,b,c,d,free"),
        (str(tmp_path / "skus.csv"), 2, "1,1,S,1"),
    ]
