"""What scripted nodes are asked, and what they may do about it."""

from dataclasses import dataclass
from typing import Final

from ring import Consistency, Statement

READ: Final = Statement(
    "read",
    "SELECT value FROM items WHERE id = ?",
    Consistency.LOCAL_ONE,
    idempotent=True,
    many_cql="SELECT id, value FROM items WHERE id IN ?",
)
READ_ALONE: Final = Statement(
    "read_alone", "SELECT value FROM items_too WHERE id = ?", Consistency.LOCAL_ONE, idempotent=True
)
WRITE: Final = Statement(
    "write", "INSERT INTO items (id) VALUES (?)", Consistency.LOCAL_QUORUM, idempotent=True
)
ADD: Final = Statement(
    "add", "UPDATE items SET n = n + 1 WHERE id = ?", Consistency.LOCAL_QUORUM, idempotent=False
)
STATEMENTS: Final = (READ, READ_ALONE, WRITE, ADD)


def value_of(key: int) -> bytes | None:
    """What the row of a key holds; negative keys have no row."""
    return b"value of %d" % key if key >= 0 else None


@dataclass(frozen=True)
class Execution:
    """One EXECUTE or BATCH frame as a node got it; `level` is its consistency."""

    cql: str
    keys: tuple[int, ...]
    stream: int
    level: int


@dataclass(frozen=True)
class Answer:
    """The right answer, after a while."""

    delay_seconds: float = 0.0


@dataclass(frozen=True)
class Refuse:
    """An ERROR frame."""

    code: int


@dataclass(frozen=True)
class Send:
    """These very bytes in the place of an answer."""

    data: bytes


@dataclass(frozen=True)
class Reply:
    """A well-framed reply with this opcode and body."""

    opcode: int
    body: bytes
    flags: int = 0


@dataclass(frozen=True)
class Silence:
    """No answer, ever."""


@dataclass(frozen=True)
class Forget:
    """UNPREPARED, and the statement is indeed forgotten; the node may freeze just then."""

    freezes: bool = False


@dataclass(frozen=True)
class Cut:
    """The connection ends; after half of the answer, if asked."""

    after_half: bool = False


Action = Answer | Refuse | Send | Reply | Silence | Forget | Cut
