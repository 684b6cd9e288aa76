import json
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from etl.generate import make_set
from etl.generation.catalog import Request
from tests.support.reference_reader import read_set

requests = st.builds(
    Request,
    products=st.integers(1, 120),
    seed=st.integers(0, 2**63 - 1),
    plants_per_million=st.sampled_from([0, 1, 20_000, 500_000]),
    gap_every=st.sampled_from([0, 2, 67]),
)


@settings(max_examples=12, deadline=None)
@given(requests)
def test_the_manifest_is_what_an_independent_reading_counts(request: Request) -> None:
    """For any size, seed, rate and gaps: rows in = loaded + rejected, kind by kind."""
    with tempfile.TemporaryDirectory() as name:
        make_set(Path(name) / "set", request)
        files = json.loads((Path(name) / "set" / "manifest.json").read_text())["files"]
        for table, account in read_set(Path(name) / "set").items():
            told = files[f"{table}.csv"]
            assert told["rows"] == told["loaded"] + sum(told["rejected"].values())
            assert (told["rows"], told["loaded"]) == (account.rows, account.loaded)
            assert told["stored"] == len(account.stored)
            assert told["repaired"] == +account.repaired
            assert told["rejected"] == +account.rejected
            assert told["notes"] == +account.notes
