"""Lines that are set aside for their bytes."""

import pytest

from etl.lines import LINE_BYTES_LIMIT, encode_pieces

_LONG = b"x" * (LINE_BYTES_LIMIT + 1)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (b"1,\0", "nul"),
        (b"1,\xff", "utf8"),
        (_LONG, "long"),
        (b"1,\0\xff", "utf8"),
        (_LONG + b"\xff", "utf8"),
        (_LONG + b"\0", "nul"),
    ],
)
def test_line_when_wrong_in_several_ways_then_invalid_utf8_goes_first(
    line: bytes, fault: str
) -> None:
    """As `Reject.INVALID_UTF8` says; the lines around it stay."""
    pieces = list(encode_pieces(7, b"1,a\n" + line + b"\n2,b\n"))
    assert b"".join(piece for piece, _faults in pieces) == b"1,a\n\x1eX\n2,b\n"
    assert [one for _piece, faults in pieces for one in faults] == [(8, fault)]
