"""How much was streamed between two views of the ring."""

import pytest

from ring.operations.progress import moved_bytes
from ring.operations.view import Stream


def _stream(node: str, *, plan: str = "p", sent: int = 0, received: int = 0) -> Stream:
    return Stream(
        plan_id=plan,
        operation="Bootstrap",
        node=node,
        peers=(),
        bytes_done=sent + received,
        bytes_total=1000,
        status="success",
        bytes_received=received,
    )


@pytest.mark.parametrize(
    ("before", "after", "moved"),
    [
        ([], [], 0),
        # Both ends tell of each byte, and it went once.
        ([], [_stream("a", sent=70), _stream("b", sent=30), _stream("c", received=100)], 100),
        # A node that joins does not tell before it has joined, one that left tells no more.
        ([], [_stream("a", sent=70), _stream("b", sent=30)], 100),
        ([], [_stream("b", received=60), _stream("c", received=40)], 100),
        # What went before does not count, what goes on counts from then.
        ([_stream("a", sent=40)], [_stream("a", sent=100), _stream("c", received=100)], 60),
        (
            [_stream("a", sent=40)],
            [_stream("a", sent=40), _stream("a", plan="q", sent=5, received=7)],
            7,
        ),
        # A node that was started anew has forgotten; that is no negative stream.
        ([_stream("a", sent=40)], [], 0),
        ([_stream("a", sent=40), _stream("b", sent=10)], [_stream("b", sent=10)], 0),
    ],
)
def test_moved_bytes_when_nodes_tell_of_streams_then_each_byte_counts_once(
    before: list[Stream], after: list[Stream], moved: int
) -> None:
    """By plan, what more of senders and receivers is known of."""
    assert moved_bytes(before, after) == moved
