"""Which CSV files the ring was loaded from: told apart by where they are and what they hold."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from ring.nodes.errors import NodesError

SAMPLED_BYTES = 1024 * 1024


class DatasetError(NodesError):
    """The folder that DATA names cannot be loaded."""


@dataclass(frozen=True, slots=True)
class Dataset:
    """A folder of CSV files.

    Attributes:
        path: the folder.
        fingerprint: of names, sizes, times and both ends of every file; a whole digest of ten
            million products would take longer than some loads.
        sample: whether it is the generated one.
    """

    path: str
    fingerprint: str
    sample: bool = False


@dataclass(frozen=True, slots=True)
class Loaded:
    """What stands in a ring: the data set, and the tables it went into.

    Attributes:
        tables: ids of the tables there were; dropped and created anew, they are others.
        complete: False from before the load until it ended well.
    """

    dataset: Dataset
    tables: tuple[str, ...]
    complete: bool

    @classmethod
    def read(cls, path: Path) -> "Loaded | None":
        """Return what the file says; None when it is missing or cut."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            dataset = Dataset(**content["dataset"])
            return cls(dataset, tuple(content["tables"]), bool(content["complete"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(self, path: Path) -> None:
        """Write the file whole or not at all."""
        partial = path.with_name(f".{path.name}.partial")
        partial.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        partial.replace(path)


def read_dataset(path: Path, *, sample: bool = False) -> Dataset:
    """Describe the CSV files of a folder.

    Raises:
        DatasetError: it is no folder, cannot be read, or has no CSV file.
    """
    if not path.is_dir():
        raise DatasetError(f"DATA={path} is not a folder", advice="Name the folder of your CSVs.")
    digest = hashlib.sha256()
    try:
        files = sorted(file for file in path.iterdir() if file.suffix.lower() == ".csv")
        for file in files:
            _digest_file(digest, file)
    except OSError as error:
        raise DatasetError(f"DATA={path}: {error}", advice="Make the files readable.") from error
    if not files:
        raise DatasetError(
            f"DATA={path} has no file that ends in .csv", advice="Name the folder of your CSVs."
        )
    return Dataset(str(path.absolute()), digest.hexdigest(), sample=sample)


def _digest_file(digest: "hashlib._Hash", path: Path) -> None:
    stat = path.stat()
    digest.update(f"{path.name}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
    with path.open("rb") as file:
        digest.update(file.read(SAMPLED_BYTES))
        file.seek(max(0, stat.st_size - SAMPLED_BYTES))
        digest.update(file.read(SAMPLED_BYTES))
