import os
from pathlib import Path

import pytest

from ring.nodes.dataset import Dataset, DatasetError, Loaded, read_dataset


def test_dataset_when_a_file_changes_then_other_fingerprint(tmp_path: Path) -> None:
    """Another byte, another time or another name is another data set; the same is the same."""
    file = tmp_path / "product.csv"
    file.write_bytes(b"id,name\n1,a\n")
    os.utime(file, (1, 1))
    first = read_dataset(tmp_path)
    assert read_dataset(tmp_path) == first
    file.write_bytes(b"id,name\n1,b\n")
    os.utime(file, (1, 1))
    second = read_dataset(tmp_path)
    os.utime(file, (2, 2))
    third = read_dataset(tmp_path)
    file.rename(tmp_path / "styles.csv")
    fourth = read_dataset(tmp_path)
    assert len({one.fingerprint for one in (first, second, third, fourth)}) == 4


def test_dataset_when_there_are_no_csv_files_then_error(tmp_path: Path) -> None:
    """A folder without CSV files, and a path that is none, are told apart."""
    (tmp_path / "notes.txt").touch()
    with pytest.raises(DatasetError, match="no file that ends in"):
        read_dataset(tmp_path)
    with pytest.raises(DatasetError, match="is not a folder"):
        read_dataset(tmp_path / "missing")


def test_loaded_when_written_then_read_back_and_when_cut_then_none(tmp_path: Path) -> None:
    """What was loaded is remembered whole or not at all."""
    marker = tmp_path / "loaded.json"
    assert Loaded.read(marker) is None
    loaded = Loaded(Dataset("/data", "f", sample=True), ("a", "b"), complete=True)
    loaded.write(marker)
    assert Loaded.read(marker) == loaded
    marker.write_bytes(marker.read_bytes()[:20])
    assert Loaded.read(marker) is None
