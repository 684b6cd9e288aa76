"""Who holds the lock: a name that no other process has or will have, and whether it still lives."""

import os
import socket
from typing import Final

from ring.nodes.process import ProcessRecord

_SEPARATOR: Final = "/"


def own_name() -> str:
    """Return the name of this process: host, process id, when the kernel started it, which boot.

    Only letters, digits and what names of hosts have: the column is ascii.
    """
    record = ProcessRecord.of(os.getpid())
    if record is None:
        raise AssertionError("a running process has a record")
    return _name(socket.gethostname(), record)


def has_ended(owner: str) -> bool:
    """Whether an owner was a process of this machine that does not run any more.

    False also where that cannot be known from here. A machine of the same name may stand elsewhere,
    so this is a reason to wait for the lease with hope, and no proof.
    """
    host, _, process = owner.rpartition(_SEPARATOR)
    parts = process.split("-")
    if host != _ascii(socket.gethostname()) or not parts[0].isdigit():
        return False
    record = ProcessRecord.of(int(parts[0]))
    return record is None or _name(socket.gethostname(), record) != owner


def describe(owner: str) -> str:
    """Return an owner's name in words: "process 4711 on host"."""
    host, separator, process = owner.rpartition(_SEPARATOR)
    return f"process {process.split('-')[0]} on {host}" if separator else owner


def _name(host: str, record: ProcessRecord) -> str:
    boot = record.boot_id.replace("-", "")[:8]
    return f"{_ascii(host)}{_SEPARATOR}{record.pid}-{record.start_ticks}-{boot}"


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()
