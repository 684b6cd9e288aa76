"""Commands to the agent of one host, over ssh: a JSON line each way, and the bytes of files.

The agent is brought along by the first command that does not find it.
"""

import asyncio
import json
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final

from ring.hosts.agent.wire import DIGEST_BYTES
from ring.hosts.agent_file import agent_archive, agent_name
from ring.hosts.errors import HostError
from ring.hosts.ssh_master import SshAccess, SshMaster, end_process
from ring.hosts.ssh_session import NO_AGENT, AgentMissingError, Session

COMMAND_SECONDS: Final = 30.0
# sshd serves ten sessions a connection, unless told otherwise; one of them is the master's own.
SESSIONS: Final = 6
# An answer is one line: a listing of ten thousand files has a megabyte.
LINE_BYTES: Final = 2**27
# Agents of other checkouts go: each operator brings its own.
_UPLOAD: Final = (
    "umask 022; mkdir -p {folder} && cat >{partial} && "
    "rm -f {folder}/agent-*.pyz && mv {partial} {agent}"
)


class SshConnection:
    """Runs the agent's commands in a directory of a host.

    Safe for concurrent use; calls beyond `SESSIONS` wait for their turn.
    """

    def __init__(
        self, name: str, ring: str, directory: str, access: SshAccess, python: str
    ) -> None:
        """Prepare; nothing is sent yet.

        Args:
            name: of the host, for messages.
            ring: name of the ring, for the names of systemd units.
            directory: of everything that is ours on the host, absolute.
            access: how it is reached.
            python: program on the host, 3.11 or later.
        """
        self.name = name
        self.directory = directory
        self._ring = ring
        self._access = access
        self._master = SshMaster(name, access)
        self._slots = asyncio.Semaphore(SESSIONS)
        agent = shlex.quote(f"{directory}/{agent_name()}")
        # -IS: whatever the account's own Python packages are.
        run = f"{shlex.quote(python)} -IS {agent}"
        self._run_agent = f"[ -f {agent} ] || exit {NO_AGENT}; exec {run}"
        partial = shlex.quote(f"{directory}/.{agent_name()}.") + "$$"
        self._upload = _UPLOAD.format(folder=shlex.quote(directory), partial=partial, agent=agent)

    def __repr__(self) -> str:
        return f"<SshConnection {self.name} {self._master!r}>"

    async def call(
        self,
        do: str,
        *,
        payload: Sequence[Path] = (),
        digests: bool = False,
        timeout_seconds: float = COMMAND_SECONDS,
        **values: Any,
    ) -> dict[str, Any]:
        """Let the agent carry out one command; return its answer.

        Args:
            do: the command's name.
            payload: files that are sent behind the request, in order.
            digests: whether the SHA-256 of each is sent behind it.
            timeout_seconds: for the answer, once everything is sent.
            values: of the request.

        Raises:
            HostUnreachableError: the host does not answer, or no longer.
            HostError: it could not be done; why, and what to do.
        """
        async with self._session(do, values) as session:
            for path in payload:
                digest = await session.send_file(path)
                if digests:
                    await session.send(digest.encode("ascii"))
            return await session.answer(timeout_seconds)

    async def fetch(self, path: str, target: BinaryIO) -> None:
        """Copy a file of the node's data into an open file.

        Raises:
            HostUnreachableError, HostError: why not; what is in `target` then is not the file.
        """
        async with self._session("send_file", {"path": path}) as session:
            size = int((await session.answer(COMMAND_SECONDS))["bytes"])
            digest = await session.receive(size, target)
            if digest != (await session.read(DIGEST_BYTES)).decode("ascii"):
                raise HostError(f"{self.name}: {path} came changed", advice="Fetch it again.")

    @asynccontextmanager
    async def lines(self, do: str) -> AsyncIterator[Session]:
        """Open a command that answers again for every line that it is sent."""
        async with self._session(do, {}) as session:
            yield session

    async def aclose(self) -> None:
        """Close the connection; the next call opens it anew."""
        await self._master.aclose()

    @asynccontextmanager
    async def _session(self, do: str, values: dict[str, Any]) -> AsyncIterator[Session]:
        request = {"do": do, "directory": self.directory, "ring": self._ring, **values}
        async with self._slots:
            session = await self._open()
            try:
                await session.send(json.dumps(request).encode() + b"\n")
                yield session
            finally:
                await end_process(session.process)

    async def _open(self) -> Session:
        """Start the agent; bring it first where it is not."""
        try:
            return await self._start_agent()
        except AgentMissingError:
            await self._bring_agent()
            return await self._start_agent()

    async def _start_agent(self) -> Session:
        session = Session(self.name, self._access.address, await self._run(self._run_agent))
        try:
            await session.greet()
        except BaseException:
            await end_process(session.process)
            raise
        return session

    async def _bring_agent(self) -> None:
        session = Session(self.name, self._access.address, await self._run(self._upload))
        try:
            await session.send(agent_archive())
            session.end_input()
            await session.end(
                advice=f"{self.directory} must be a folder that the account of the ssh connection "
                "owns: install -d -o ACCOUNT DIRECTORY"
            )
        finally:
            await end_process(session.process)

    async def _run(self, program: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            *await self._master.command(program),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LINE_BYTES,
            # Ctrl-C in a terminal is for this process to handle.
            start_new_session=True,
        )
