"""One authenticated connection to a host, shared by all commands: OpenSSH's master.

A command over it costs a few milliseconds instead of a handshake. It is a child of this process
that waits for the end of its input, so it ends with this process, however that ends.
"""

import asyncio
import contextlib
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ring.hosts.errors import HostUnreachableError

CONNECT_SECONDS: Final = 15.0
LEAVES_SECONDS: Final = 1.0
# A connection over which nothing comes for this long is dead: three unanswered signs of life.
_ALIVE_SECONDS: Final = 4
_ALIVE_COUNT: Final = 3
_READY: Final = b"catalog-ring is connected"
_ADVICES: Final = (
    (
        ("Host key verification failed", "REMOTE HOST IDENTIFICATION"),
        "Add the host's key to the known hosts: ssh-keyscan, then compare the fingerprint.",
    ),
    (("Permission denied",), "Check [ssh] user and key_file of the inventory, and the agent."),
    (("Could not resolve",), "Check the host's address in the inventory."),
)
_ADVICE: Final = "Check that the host runs, that its sshd answers, and the network between."


@dataclass(frozen=True, slots=True)
class SshAccess:
    """How a host is reached.

    Attributes:
        address: name or address that ssh connects to.
        user: account on the host; empty: as the ssh client's settings say.
        port: of sshd.
        key_file: private key; empty: those of the ssh client and its agent.
        known_hosts_file: keys of hosts; empty: those of the ssh client.
        config_file: of the ssh client; empty: the user's own, with its jump hosts and keys.
    """

    address: str
    user: str = ""
    port: int = 22
    key_file: str = ""
    known_hosts_file: str = ""
    config_file: str = ""

    def command(self, control_path: Path) -> list[str]:
        """Return the ssh command, up to the program that is to run on the host."""
        options = {
            # Never a question: nobody may be there to answer.
            "BatchMode": "yes",
            "StrictHostKeyChecking": "yes",
            "ClearAllForwardings": "yes",
            "ForwardAgent": "no",
            "ConnectTimeout": f"{CONNECT_SECONDS - 5:.0f}",
            "ServerAliveInterval": str(_ALIVE_SECONDS),
            "ServerAliveCountMax": str(_ALIVE_COUNT),
            "ControlPath": str(control_path),
            "LogLevel": "ERROR",
        }
        if self.user:
            options["User"] = self.user
        if self.key_file:
            options |= {"IdentityFile": _quoted(self.key_file), "IdentitiesOnly": "yes"}
        if self.known_hosts_file:
            options["UserKnownHostsFile"] = _quoted(self.known_hosts_file)
            options["GlobalKnownHostsFile"] = "none"
        command = ["ssh", "-T", "-p", str(self.port)]
        if self.config_file:
            command += ["-F", self.config_file]
        for name, value in options.items():
            command += ["-o", f"{name}={value}"]
        return command


class SshMaster:
    """The connection to one host; opened when first needed, and anew when it is lost."""

    def __init__(self, name: str, access: SshAccess) -> None:
        self._name = name
        self._access = access
        self._process: asyncio.subprocess.Process | None = None
        self._control_path = _control_folder() / secrets.token_hex(8)
        self._opening = asyncio.Lock()

    def __repr__(self) -> str:
        state = "open" if self.is_open else "closed"
        return f"<SshMaster {self._name} {self._access.address}:{self._access.port} {state}>"

    @property
    def is_open(self) -> bool:
        """Whether commands can go over it now, as far as this side knows."""
        return self._process is not None and self._process.returncode is None

    async def command(self, program: str) -> list[str]:
        """Return the command that runs a program (for the host's shell) over the connection.

        Raises:
            HostUnreachableError: no connection within `CONNECT_SECONDS`; why, and what to do.
        """
        async with self._opening:
            if not self.is_open:
                await self._open()
        own = self._access.command(self._control_path)
        return [*own, "-o", "ControlMaster=no", self._access.address, program]

    async def aclose(self) -> None:
        """Close the connection, and with it all commands that still run over it."""
        process, self._process = self._process, None
        if process is not None:
            await end_process(process)
        self._control_path.unlink(missing_ok=True)

    async def _open(self) -> None:
        await self.aclose()
        command = [*self._access.command(self._control_path), "-o", "ControlMaster=yes"]
        process = await asyncio.create_subprocess_exec(
            *command,
            *("-o", "ControlPersist=no", self._access.address),
            f"echo {_READY.decode()}; exec cat >/dev/null",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            # Ctrl-C in a terminal is for this process to handle, connection by connection.
            start_new_session=True,
        )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                # What the account's start-up files print comes first.
                while line := await _stdout(process).readline():
                    if line.strip() == _READY:
                        self._process = process
                        return
                said = (await _stderr(process).read()).decode("utf-8", "replace").strip()
        except TimeoutError:
            said = f"no connection after {CONNECT_SECONDS:.0f} s"
        finally:
            if self._process is not process:
                await end_process(process)
        raise unreachable(self._name, self._access.address, said)


def unreachable(name: str, address: str, said: str) -> HostUnreachableError:
    """Return the error for what ssh said, with what can be done about it."""
    advice = next((a for signs, a in _ADVICES if any(sign in said for sign in signs)), _ADVICE)
    return HostUnreachableError(
        f"{name} ({address}) does not answer: {said or 'the connection was lost'}", advice=advice
    )


async def end_process(process: asyncio.subprocess.Process) -> None:
    """Let a child of ours end, or end it, and let nothing of it stay.

    Who has answered ends by itself once its input does; a signal would only race with that.
    """
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(LEAVES_SECONDS):
            await _drain(process)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await _drain(process)


async def _drain(process: asyncio.subprocess.Process) -> None:
    """Read what is left in the pipes, so that their transports are closed, and wait for the end."""
    for stream in (process.stdout, process.stderr):
        while stream is not None and await stream.read(2**16):
            pass
    await process.wait()


def _stdout(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert process.stdout is not None  # noqa: S101 -- it was asked for
    return process.stdout


def _stderr(process: asyncio.subprocess.Process) -> asyncio.StreamReader:
    assert process.stderr is not None  # noqa: S101 -- it was asked for
    return process.stderr


def _control_folder() -> Path:
    """Return a folder of this account's for sockets, whose paths may have 100 bytes at the most."""
    folder = Path(tempfile.gettempdir()) / f"catalog-ssh-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise HostUnreachableError(
            f"{folder} is not only ours", advice="Remove it, and look who made it."
        )
    return folder


def _quoted(path: str) -> str:
    return f'"{path}"'
