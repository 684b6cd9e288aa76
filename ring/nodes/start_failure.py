"""Says in a sentence why a Cassandra node did not start, from what it left in its logs."""

from pathlib import Path

TAIL_BYTES = 64 * 1024
TAIL_LINES = 12

# The first that occurs is the cause; later lines of a log tend to be its consequences.
LEFT = "was decommissioned and will not rejoin the ring"
_CAUSES = (
    (
        (LEFT,),
        "the node has left its ring",
        "Wipe the host (catalog-ring remove goes on where it stopped), then add it anew.",
    ),
    (
        ("insufficient memory for the Java Runtime", "Cannot allocate memory", "Could not reserve"),
        "the machine has too little free memory for the node's heap",
        "Free some memory, or set a smaller heap (CATALOG_HEAP_MIB).",
    ),
    (
        ("OutOfMemoryError",),
        "the node ran out of heap",
        "Set a larger heap (CATALOG_HEAP_MIB).",
    ),
    (
        ("No space left on device",),
        "the disk is full",
        "Free some disk space.",
    ),
    (
        ("Address already in use", "is in use by another process"),
        "one of the node's ports is taken by another process",
        "Stop that process, or choose other ports (see the settings in README.md).",
    ),
    (
        (
            "UnsupportedClassVersionError",
            "Unrecognized VM option",
            "Error: Could not create the Java",
        ),
        "the Java that started it is not the Java it needs",
        "Install Java 17, or set JAVA_HOME to one.",
    ),
    (
        ("ConfigurationException", "Invalid yaml"),
        "Cassandra refused its configuration",
        "See the log for the option's name.",
    ),
)


def explain(log: str) -> tuple[str, str]:
    """Return (cause, advice) for the text of a node's logs."""
    for signs, cause, advice in _CAUSES:
        if any(sign in log for sign in signs):
            return cause, advice
    return "its logs name no cause that is known here", "Read the lines above and the whole log."


def log_tail(path: Path, *, since_bytes: int = 0) -> str:
    """Return the last part of a log, from `since_bytes` on; empty when there is none."""
    return read_tail(path, since_bytes=since_bytes)[0]


def read_tail(path: Path, *, since_bytes: int = 0) -> tuple[str, int]:
    """Return the last part of a log, `TAIL_BYTES` at most, and how long the log is.

    A log that is shorter than `since_bytes` was begun anew, and is read from its start.
    """
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = max(since_bytes if since_bytes <= size else 0, size - TAIL_BYTES)
            file.seek(start)
            return file.read(size - start).decode("utf-8", "replace"), size
    except OSError:
        return "", 0


def last_lines(text: str) -> str:
    """Return the last few lines that say something, stack frames left out."""
    lines = [line for line in text.splitlines() if line.strip()]
    told = [line for line in lines if not line.lstrip().startswith(("at ", "... "))]
    return "\n".join(told[-TAIL_LINES:])
