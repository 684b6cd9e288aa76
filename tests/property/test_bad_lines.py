"""A bad line costs itself and nothing else, whatever bytes it holds and wherever it stands."""

import tempfile
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.legacy_files import PRODUCT_1, STYLE_1, clean_files, write_files

# Without digits no line can be a row, alone or joined with others.
_BAD_LINES = st.lists(
    st.sampled_from(
        [
            b'"',
            b'""',
            b",",
            b"x",
            b" ",
            b"\r",
            b"\0",
            b"\xff",
            b"\xc3",
            b"\xc3\xa9",
            b"\x1e",
            b"null",
        ]
    ),
    max_size=8,
).map(b"".join)
_GOOD = {
    "photos": [b'%d,1,"u%d","t, ""%d"""' % (n, n, n) for n in range(1, 5)],
    "features": [b'%d,1,"f, %d","two\nlines ""%d"""' % (n, n, n) for n in range(1, 5)],
}


def _is_blank(line: bytes) -> bool:
    return not line.removesuffix(b"\r").strip(b" ")


@pytest.mark.timeout(300)  # each example is a whole load; a busy machine takes seconds for it
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    name=st.sampled_from(sorted(_GOOD)),
    bad=st.lists(st.tuples(st.integers(0, 4), _BAD_LINES), max_size=6),
)
def test_bad_lines_when_anywhere_then_all_good_rows_are_loaded(
    name: str, bad: list[tuple[int, bytes]]
) -> None:
    """Every good row is served, every bad line is a reject with its bytes."""
    rows: list[bytes] = []
    for place in range(5):
        rows += [line for at, line in bad if at == place]
        rows += _GOOD[name][place : place + 1]
    with tempfile.TemporaryDirectory() as directory:
        cleaned = clean_files(
            write_files(
                Path(directory),
                {"product": PRODUCT_1, "styles": STYLE_1, name: b"\n".join(rows) + b"\n"},
            )
        )
    if name == "photos":
        served = [(one["url"], one["thumbnail_url"]) for one in cleaned.styles(1)[0]["photos"]]
        assert served == [(f"u{n}", f't, "{n}"') for n in range(1, 5)]
    else:
        served = [(one["feature"], one["value"]) for one in cleaned.product(1)["features"]]
        assert served == [(f"f, {n}", f'two\nlines "{n}"') for n in range(1, 5)]
    told = [b64decode(one["bytes_base64"]) for one in cleaned.rejects]
    ordered = [line for place in range(5) for at, line in bad if at == place]
    assert told == [line.removesuffix(b"\r") for line in ordered if not _is_blank(line)]
    assert cleaned.file(name).rows_in == 4 + len(told)
