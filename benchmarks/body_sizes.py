"""Which ids have bodies of which size: so that routes are compared at equal sizes."""

import http.client
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.cql_load import LoadError

SMALL: Final = "up to 2 kB"
# Names of classes and the first number of bytes beyond each.
_CLASSES: Final = ((SMALL, 2_001), ("2 to 4 kB", 4_001), ("beyond 4 kB", 1 << 40))
# Fewer ids would be read from the memory of too few partitions.
LEAST_IDS: Final = 100
_ANSWER_SECONDS: Final = 10.0
_OK: Final = 200


@dataclass(frozen=True, slots=True)
class SizeClass:
    """Ids with bodies of one size: a file with one a line, and how many they are."""

    name: str
    file: Path
    ids: int


def ids_by_size(
    address: str, port: int, path: str, *, ids: int, folder: Path, name: str
) -> list[SizeClass]:
    """Ask for each id once and return the classes that have enough of them, small bodies first.

    Args:
        address: of the server.
        port: of the server.
        path: with `%d` for the id.
        ids: the largest of them.
        folder: receives the files.
        name: what their names begin with.

    Raises:
        LoadError: there are too few small bodies.
        OSError: the server does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    found: dict[str, list[int]] = {one: [] for one, _ in _CLASSES}
    connection = http.client.HTTPConnection(address, port, timeout=_ANSWER_SECONDS)
    for item_id in range(1, ids + 1):
        connection.request("GET", path % item_id)
        answer = connection.getresponse()
        size_bytes = len(answer.read())
        if answer.status == _OK:
            found[next(one for one, end in _CLASSES if size_bytes < end)].append(item_id)
    connection.close()
    if len(found[SMALL]) < LEAST_IDS:
        raise LoadError(f"{path}: only {len(found[SMALL])} bodies {SMALL}")
    classes = []
    for number, (one, listed) in enumerate(found.items()):
        if len(listed) >= LEAST_IDS:
            file = folder / f"{name}-{number}.txt"
            file.write_text("".join(f"{item_id}\n" for item_id in listed), encoding="ascii")
            classes.append(SizeClass(one, file, len(listed)))
    return classes
