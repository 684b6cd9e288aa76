"""Standard input as a file: headers, lines and rejected bytes are looked at more than once."""

import asyncio
import os
import select
from pathlib import Path
from typing import BinaryIO, Final

from etl.identity import Identity, identify

_BLOCK_BYTES: Final = 2**20
_TURN_BYTES: Final = 64 * _BLOCK_BYTES
"""How much is copied before an interruption is noticed."""
_PATIENCE_SECONDS: Final = 0.2
"""How long a turn waits for bytes that may never come."""


async def copy_standard_input(descriptor: int, file: Path) -> Identity:
    """Copy all that a descriptor has to give into a file; return what that was.

    A load that is interrupted stops waiting, whether or not the other end of the pipe ever writes.

    Raises:
        OSError: the copy cannot be written.
    """
    with file.open("wb") as out:
        while await asyncio.to_thread(_copy_turn, descriptor, out):
            pass
    return await asyncio.to_thread(identify, file, None)


def _copy_turn(descriptor: int, out: BinaryIO) -> bool:
    """Copy what is there and a little more; return whether the end has not come yet."""
    copied = 0
    while copied < _TURN_BYTES:
        if not select.select([descriptor], [], [], _PATIENCE_SECONDS)[0]:
            return True
        block = os.read(descriptor, _BLOCK_BYTES)
        if not block:
            return False
        out.write(block)
        copied += len(block)
    return True
