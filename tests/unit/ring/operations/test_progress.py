"""How far something is, in words."""

from ring.operations.progress import Progress, describe, describe_tasks, streamed
from ring.operations.view import RingView, Stream, Task


def _session(node: str, peer: str, done: int, total: int, operation: str = "Bootstrap") -> Stream:
    return Stream("plan", operation, node, (peer,), done, total, "start")


def test_progress_when_described_then_share_speed_and_time_left() -> None:
    """Without a speed nothing is said of the time."""
    assert describe("streaming", 10_000_000, 40_000_000, 5_000_000.0) == (
        "streaming: 10.0 MB of 40.0 MB (25%), 5.0 MB/s, 6 s left"
    )
    assert describe("streaming", 0, 0, 0.0) == "streaming: 0 kB of 0 kB"


def test_streams_when_only_senders_tell_then_their_sums() -> None:
    """A node that joins answers no CQL, so its peers are asked."""
    streams = [_session("a", "new", 1, 10), _session("b", "new", 2, 20), _session("a", "b", 5, 5)]
    assert streamed(streams, operation="Bootstrap", address="new") == (3, 30)


def test_streams_when_both_ends_tell_then_counted_once() -> None:
    """The node's own word."""
    streams = [_session("a", "new", 1, 10), _session("new", "a", 1, 10)]
    assert streamed(streams, operation="bootstrap", address="new") == (1, 10)


def test_streams_when_none_is_of_the_kind_then_nothing_is_known() -> None:
    """A repair that goes on meanwhile is none of it."""
    streams = [_session("a", "new", 1, 10, operation="Repair")]
    assert streamed(streams, operation="Bootstrap", address="new") is None


def test_lines_when_they_come_often_then_one_in_ten_seconds() -> None:
    """But one of another kind at once."""
    now = 100.0
    said: list[str] = []
    shown = Progress(lambda line: said.append(line.strip()), clock=lambda: now)
    for second in range(25):
        now = 100.0 + second
        shown.show("streaming", second, 1000)
    shown.note("joined")
    assert [line.split(":")[0] for line in said] == [
        "streaming",
        "streaming",
        "streaming",
        "joined",
    ]
    assert said[1].endswith("0 kB/s, 990 s left")


def test_tasks_when_of_the_wanted_kind_and_node_then_described() -> None:
    """Tables by name, bytes in all."""
    tasks = (
        Task("a", "Cleanup", "catalog", "carts", 1_000_000, 2_000_000),
        Task("a", "Compaction", "catalog", "other", 1, 2),
        Task("b", "Cleanup", "catalog", "other", 1, 2),
    )
    view = RingView(tasks=tasks)
    assert describe_tasks(view, "a", ("cleanup",)) == "carts: 1.0 MB of 2.0 MB"
    assert describe_tasks(view, "c", ("cleanup",)) == ""
