"""Runs one of the Java programs to its end."""

import asyncio
import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from etl.niceness import pass_on_niceness

_SHOWN_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended; `errors` is the end of what it said on standard error."""

    exit_code: int
    errors: str


async def run_java(
    command: Sequence[str],
    on_line: Callable[[str], None],
    *,
    timeout_seconds: float | None = None,
) -> Ended:
    """Run a command; each line of its standard output goes to `on_line`. Killed when cancelled.

    After `timeout_seconds` it is killed too, and has ended with -9.
    """
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        start_new_session=True,
    )
    pass_on_niceness(process.pid)
    if process.stdout is None or process.stderr is None:
        raise AssertionError("asked for above")
    errors = asyncio.create_task(process.stderr.read())
    try:
        try:
            async with asyncio.timeout(timeout_seconds):
                async for line in process.stdout:
                    on_line(line.decode("utf-8", "replace").strip())
                await process.wait()
        except TimeoutError:
            process.kill()
        exit_code = await process.wait()
        text = (await errors).decode("utf-8", "replace").strip()
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
        await asyncio.gather(errors, return_exceptions=True)
    return Ended(exit_code, text[-_SHOWN_CHARACTERS:])
