"""How operator and agent speak: a line of JSON each way, raw bytes behind it where files go.

Nothing is told on a command line, so nothing needs quoting and no secret can be seen in `ps`.
"""

import hashlib
import json
import select
from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, BinaryIO, Final

from ring.nodes.errors import NodesError

CHUNK_BYTES: Final = 256 * 1024
DIGEST_BYTES: Final = 64
# The agent's first line: what came before it, the account's start-up files printed.
GREETING: Final = b"catalog-ring agent\n"


class TransferError(NodesError):
    """What was sent did not arrive whole."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request and its answer, on the host's side.

    Attributes:
        request: its values; `do` names the command.
        payload: what comes behind the request.
        out: where the answer goes.
    """

    request: Mapping[str, Any]
    payload: BufferedReader
    out: BinaryIO

    @classmethod
    def begin(cls, source: BufferedReader, out: BinaryIO) -> "Exchange":
        """Greet, and read the request."""
        out.write(GREETING)
        out.flush()
        return cls(json.loads(source.readline()), source, out)

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the answer any more, once all that was sent is read.

        Who asks keeps its end open until it has the answer.
        """
        readable = select.select([self.payload], [], [], 0)[0]
        return bool(readable) and not self.payload.peek(1)

    def answer(self, values: Mapping[str, Any]) -> None:
        """Send the answer."""
        self.out.write(json.dumps(values).encode() + b"\n")
        self.out.flush()

    def receive(self, count: int, target: Path) -> str:
        """Write the next bytes of the payload into a new file; return their SHA-256.

        Raises:
            TransferError: the connection ended before.
        """
        digest = hashlib.sha256()
        left = count
        with target.open("wb") as file:
            while left:
                chunk = self.payload.read(min(left, CHUNK_BYTES))
                if not chunk:
                    raise TransferError(f"{left} bytes of {target.name} did not come")
                digest.update(chunk)
                file.write(chunk)
                left -= len(chunk)
        return digest.hexdigest()

    def receive_digest(self) -> str:
        """Read the SHA-256 that is sent behind a file."""
        return self.payload.read(DIGEST_BYTES).decode("ascii")

    def send(self, source: Path, count: int) -> None:
        """Send the first bytes of a file, and their SHA-256 behind them.

        Raises:
            TransferError: the file is shorter by now.
        """
        digest = hashlib.sha256()
        left = count
        with source.open("rb") as file:
            while left:
                chunk = file.read(min(left, CHUNK_BYTES))
                if not chunk:
                    raise TransferError(f"{source} became shorter while it was read")
                digest.update(chunk)
                self.out.write(chunk)
                left -= len(chunk)
        self.out.write(digest.hexdigest().encode("ascii"))
        self.out.flush()


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_whole(path: Path, text: str, *, mode: int = 0o644) -> bool:
    """Write a file so that it appears whole or not at all; return whether it changed.

    It never has more rights than `mode`, not even while it is written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.is_file() and path.read_text(encoding="utf-8") == text:
        path.chmod(mode)
        return False
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=mode)
    partial.write_text(text, encoding="utf-8")
    # The umask may have taken rights away.
    partial.chmod(mode)
    partial.replace(path)
    return True
