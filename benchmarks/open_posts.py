"""Open-loop POSTs: each is sent when it is due, and its latency counts from then."""

import asyncio
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

_CONNECTIONS: Final = 64
_ANSWER_SECONDS: Final = 10.0


@dataclass(frozen=True, slots=True)
class Posted:
    """Seconds of each request from its due time, in order of their ends; and how many failed."""

    seconds: list[float]
    failed: int

    def percentile_milliseconds(self, share: float) -> float:
        """Return the latency that `share` of the requests do not exceed."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000


async def post_steadily(
    address: str, port: int, path: str, bodies: Iterator[bytes], *, rate: float, seconds: float
) -> Posted:
    """Post so many times a second over kept connections; one that is busy delays who needs it.

    Args:
        address: of the server.
        port: of the server.
        path: where to.
        bodies: JSON, as many as it takes.
        rate: requests a second.
        seconds: for how long.

    Raises:
        OSError: the server does not listen.
        TimeoutError: an answer took longer than ten seconds.
    """
    head = f"POST {path} HTTP/1.1\r\nHost: catalog\r\nContent-Type: application/json\r\n"
    free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    for _ in range(_CONNECTIONS):
        free.put_nowait(await asyncio.open_connection(address, port))
    took: list[float] = []
    failed = 0

    async def post(due_at: float) -> None:
        nonlocal failed
        connection = await free.get()
        reader, writer = connection
        body = next(bodies)
        writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        await reader.readexactly(length)
        took.append(time.perf_counter() - due_at)
        failed += not answer.startswith(b"HTTP/1.1 201")
        free.put_nowait(connection)

    began = time.perf_counter()
    async with asyncio.timeout(seconds + _ANSWER_SECONDS), asyncio.TaskGroup() as group:
        for number in range(int(rate * seconds)):
            due_at = began + number / rate
            await asyncio.sleep(due_at - time.perf_counter())
            group.create_task(post(due_at))
    while not free.empty():
        free.get_nowait()[1].close()
    return Posted(took, failed)
