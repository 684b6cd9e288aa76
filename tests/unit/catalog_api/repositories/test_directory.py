import pytest

from catalog_api.repositories.directory import Directory, Position, Span
from schema.documents import pack_segment

# Blocks 0, 2 and 1005 with 3, 2 and 4 rows: nine rows in all, gaps between.
DIRECTORY = Directory([(1, pack_segment({1005: 4})), (0, pack_segment({0: 3, 2: 2}))])


@pytest.mark.parametrize(
    ("offset", "position"),
    [
        (0, Position(0, 0)),
        (2, Position(0, 2)),
        (3, Position(1, 0)),
        (5, Position(2, 0)),
        (8, Position(2, 3)),
        (9, Position(3, 0)),
        (10**30, Position(3, 10**30 - 9)),
    ],
)
def test_locate_when_blocks_have_gaps_then_rows_are_counted(
    offset: int, position: Position
) -> None:
    """An offset counts live rows, whatever the ids."""
    assert DIRECTORY.locate(offset) == position


def test_spans_when_the_page_crosses_blocks_then_each_gives_its_part() -> None:
    """A page takes the rest of its first block and goes on in the next ones."""
    spans, end = DIRECTORY.spans(DIRECTORY.locate(1), 5)
    assert spans == [Span(0, 1, 2), Span(2, 0, 2), Span(1005, 0, 1)]
    assert end == Position(2, 1)


def test_spans_when_continued_then_nothing_is_skipped_or_repeated() -> None:
    """Spans taken one row at a time are the spans of the whole."""
    position, walked = Position(0, 0), []
    for _ in range(DIRECTORY.rows):
        spans, position = DIRECTORY.spans(position, 1)
        walked += [(span.block, span.rank) for span in spans]
    assert walked == [(0, 0), (0, 1), (0, 2), (2, 0), (2, 1), *((1005, rank) for rank in range(4))]
    assert DIRECTORY.spans(position, 1)[0] == []


def test_spans_when_past_the_end_then_none() -> None:
    """A page past the end is empty."""
    assert DIRECTORY.spans(DIRECTORY.locate(9), 5)[0] == []
    assert Directory([]).spans(Directory([]).locate(0), 5)[0] == []
