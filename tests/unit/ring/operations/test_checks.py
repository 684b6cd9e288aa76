"""Which ranges there are, who holds them, and how a difference is told."""

from ring.operations.checks import TokenRange, describe_difference, token_ranges
from tests.support.ring_views import KEYSPACE, address_of, node_of, view_of


def test_ranges_when_listed_then_the_whole_ring_with_its_replicas() -> None:
    """The range that wraps comes in two."""
    view = view_of(
        node_of(1, tokens=(0,)), node_of(2, tokens=(10,)), node_of(3, tokens=(20,)), factor=2
    )
    one, two, three = (address_of(number) for number in (1, 2, 3))
    assert list(token_ranges(view, KEYSPACE)) == [
        TokenRange(20, None, (one, two)),
        TokenRange(None, 0, (one, two)),
        TokenRange(0, 10, (two, three)),
        TokenRange(10, 20, (three, one)),
    ]


def test_difference_when_told_then_who_lacks_how_many() -> None:
    """Of two replicas the second lacks one row and has another one differently."""
    words = describe_difference(
        TokenRange(0, 10, ("a", "b")), [["row 1", "row 2"], ["row 2 of old"]]
    )
    assert words == "tokens up to 10: a lacks or differs in 1; b lacks or differs in 2 of 3 rows"
