"""Every setting of the load is documented, and one that cannot be used is refused."""

import dataclasses

import pytest

from etl.settings import EtlSettings
from ring import RingSettingsError
from ring.nodes.settings import REPOSITORY


def test_settings_when_defined_then_documented_in_the_readme() -> None:
    """A setting nobody can find is none."""
    readme = (REPOSITORY / "etl" / "README.md").read_text(encoding="utf-8")
    for field in dataclasses.fields(EtlSettings):
        assert f"`CATALOG_{field.name.upper()}`" in readme
        assert field.metadata["doc"]


@pytest.mark.parametrize(
    "name",
    [
        "LOAD_CONCURRENCY",
        "LOAD_MIN_CONCURRENCY",
        "LOAD_BATCH_ROWS",
        "LOAD_ROWS_PER_SECOND",
        "LOAD_SLICE_PRODUCTS",
        "LOAD_THREADS",
        "LOAD_NICENESS",
        "LOAD_METRICS_PORT",
    ],
)
def test_settings_when_out_of_range_then_named(name: str) -> None:
    """The message names the variable."""
    with pytest.raises(RingSettingsError, match=f"CATALOG_{name}"):
        EtlSettings.from_environ({f"CATALOG_{name}": "-1"})
