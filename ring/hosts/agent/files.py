"""Files of the node's data, and its log: listed, sent, taken."""

import contextlib
import hashlib
import os
import shutil
from pathlib import Path, PurePosixPath

from ring.hosts.agent.call import Answer, Call
from ring.hosts.agent.wire import TransferError
from ring.nodes.errors import NodesError
from ring.nodes.start_failure import read_tail


def list_files(call: Call) -> Answer:
    """Return the files below a folder of the data, relative to it, with their bytes."""
    folder = call.place.of_data(call.request["folder"])
    found = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            try:
                found[str(path.relative_to(folder))] = path.lstat().st_size
            except FileNotFoundError:
                # Cassandra removes files while they are listed.
                continue
    return {"files": found}


def hash_files(call: Call) -> Answer:
    """Return the SHA-256 of files below a folder of the data, in hexadecimal digits."""
    found = {}
    for name in call.request["names"]:
        path = call.place.of_data(str(PurePosixPath(call.request["folder"], name)))
        with path.open("rb") as file:
            found[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return {"digests": found}


def remove_files(call: Call) -> Answer:
    """Remove a folder of the data; one that is not there is no error.

    Raises:
        NodesError: it is the whole of the data.
    """
    folder = call.place.of_data(call.request["folder"])
    if folder == call.place.of_data(""):
        raise NodesError("the whole of a node's data is removed by wiping its host only")
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    return {}


def send_file(call: Call) -> None:
    """Send a file of the data: its size, its bytes, its SHA-256."""
    path = call.place.of_data(call.request["path"])
    size = path.stat().st_size
    call.exchange.answer({"bytes": size})
    call.exchange.send(path, size)


def receive_file(call: Call) -> Answer:
    """Take a file into the data; it appears whole or not at all.

    Raises:
        TransferError: it did not arrive as it was sent.
    """
    path = call.place.of_data(call.request["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        digest = call.exchange.receive(int(call.request["bytes"]), partial)
        if digest != call.exchange.receive_digest():
            raise TransferError(f"{path} came changed", advice="Send it again.")
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)
    return {}


def read_log(call: Call) -> Answer:
    """Return the end of the node's log from an offset on, and how long the log is now."""
    text, size = read_tail(call.place.node_log, since_bytes=int(call.request["since_bytes"]))
    return {"text": text, "bytes": size}
