"""One run of the agent on a host: what is sent to it, what it answers, how it fails."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from ring.hosts.agent.wire import CHUNK_BYTES, GREETING
from ring.hosts.errors import HostError
from ring.hosts.ssh_master import CONNECT_SECONDS, unreachable

# A transfer takes as long as it takes, while bytes move.
STALL_SECONDS: Final = 30.0
NO_AGENT: Final = 65
_SSH_FAILED: Final = 255


class AgentMissingError(HostError):
    """The agent of this checkout is not on the host."""


class Session:
    """One program on a host, over its own channel of the connection."""

    def __init__(self, name: str, address: str, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self._name = name
        self._address = address
        assert process.stdin is not None  # noqa: S101 -- pipes were asked for
        assert process.stdout is not None  # noqa: S101
        assert process.stderr is not None  # noqa: S101
        self._in = process.stdin
        self._out = process.stdout
        self._err = process.stderr

    def __repr__(self) -> str:
        return f"<Session {self._name} pid {self.process.pid}>"

    async def greet(self) -> None:
        """Wait until the agent runs.

        Raises:
            AgentMissingError: it is not there.
            HostUnreachableError, HostError: why it does not run.
        """
        async with self._patience(CONNECT_SECONDS, "its agent did not start"):
            # What the account's start-up files print comes first.
            while line := await self._out.readline():
                if line == GREETING:
                    return
            raise await self._failure()

    async def send(self, data: bytes) -> None:
        """Send bytes, at the pace at which they are taken."""
        async with self._patience(STALL_SECONDS, "it takes nothing"):
            try:
                self._in.write(data)
                await self._in.drain()
            except ConnectionError as error:
                # The agent says why it reads no more, and ends.
                self._parse(await self._out.readline())
                raise await self._failure() from error

    async def send_file(self, path: Path) -> str:
        """Send a file's bytes; return their SHA-256."""
        digest = hashlib.sha256()
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                digest.update(chunk)
                await self.send(chunk)
        return digest.hexdigest()

    def end_input(self) -> None:
        """Say that nothing more will be sent."""
        self._in.close()

    async def answer(self, timeout_seconds: float) -> dict[str, Any]:
        """Return the next answer.

        Raises:
            HostUnreachableError: the connection was lost, or nothing came in time.
            HostError: what the agent says could not be done.
        """
        async with self._patience(timeout_seconds, f"no answer after {timeout_seconds:.0f} s"):
            answer = self._parse(await self._out.readline())
            if answer is None:
                raise await self._failure()
        return answer

    async def receive(self, count: int, target: BinaryIO) -> str:
        """Take the bytes of a file; return their SHA-256."""
        digest = hashlib.sha256()
        left = count
        while left:
            chunk = await self.read(min(left, CHUNK_BYTES))
            digest.update(chunk)
            target.write(chunk)
            left -= len(chunk)
        return digest.hexdigest()

    async def read(self, count: int) -> bytes:
        """Return that many bytes.

        Raises:
            HostUnreachableError: they did not come.
        """
        async with self._patience(STALL_SECONDS, "nothing comes any more"):
            try:
                return await self._out.readexactly(count)
            except asyncio.IncompleteReadError as error:
                raise await self._failure() from error

    async def end(self, *, advice: str) -> None:
        """Wait until the program has ended well.

        Raises:
            HostUnreachableError, HostError: it did not.
        """
        async with self._patience(STALL_SECONDS, "it does not end"):
            if await self.process.wait() != 0:
                raise await self._failure(advice)

    def _parse(self, line: bytes) -> dict[str, Any] | None:
        """Return an answer; None for a line that was cut.

        Raises:
            HostError: the agent says that it could not be done.
        """
        if not line.endswith(b"\n"):
            return None
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise HostError(f"{self._name}: {answer['error']}", advice=answer["advice"])
        return answer

    async def _failure(self, advice: str = "") -> HostError:
        """Return the error for a program that ended before it should."""
        said = (await self._err.read()).decode("utf-8", "replace").strip()[-1000:]
        code = await self.process.wait()
        if code == NO_AGENT:
            return AgentMissingError(f"{self._name} has no agent")
        if code == _SSH_FAILED or code < 0:
            return unreachable(self._name, self._address, said)
        return HostError(
            f"{self._name}: {said or 'no reason given'} (exit status {code})",
            advice=advice or "The host needs Python 3.11 or later; see ring/hosts/README.md.",
        )

    @asynccontextmanager
    async def _patience(self, seconds: float, failure: str) -> AsyncIterator[None]:
        """Turn a deadline that passed into our error; a cancellation stays one."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError as error:
            raise unreachable(self._name, self._address, failure) from error
