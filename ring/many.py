"""Many keys in one read: grouped by their first replica, which answers from what it holds."""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from ring.bound import Bound
from ring.call import LiveRoute
from ring.errors import RingRequestError
from ring.statements import Statement
from ring.transport import EncodeError

# A node works through such a read in one thread: more keys would make it silent for too long.
MAX_KEYS: Final = 256


def many_statement(statement: Statement) -> Statement:
    """Return the read of many keys as a statement of its own; its rows begin with the key."""
    return dataclasses.replace(
        statement,
        name=f"{statement.name}_of_many",
        cql=statement.many_cql or statement.cql,
        many_cql=None,
    )


def group(
    bound: Bound, keys: Iterable[object], route: Callable[[bytes | None], LiveRoute]
) -> Iterator[tuple[bytes | None, bytes]]:
    """Yield the reads that ask for all keys: the first key of each, and the frame's body.

    Args:
        bound: the read of one key, with a read of many beside it.
        keys: each once.
        route: partition key → nodes.

    Raises:
        RingRequestError: a key does not fit the statement.
    """
    by_node: dict[object, tuple[bytes | None, list[bytes]]] = {}
    encode = bound.prepared.encode
    for value in keys:
        try:
            cell, key = encode((value,))
        except EncodeError as error:
            raise RingRequestError(f"{bound.statement.name}: {error}") from error
        replicas = route(key).replicas
        node = replicas[0] if replicas else None
        waiting = by_node.get(node)
        if waiting is None:
            by_node[node] = key, [cell]
            continue
        waiting[1].append(cell)
        if len(waiting[1]) == MAX_KEYS:
            yield waiting[0], bound.many_body(waiting[1])
            del by_node[node]
    for key, cells in by_node.values():
        yield key, bound.many_body(cells)
