"""Legacy files packed as data engineers pack them."""

import gzip
import sys
from pathlib import Path

import duckdb

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

SUFFIXES = {"gzip": ".gz", "zstd": ".zst"}


def pack(packing: str, content: bytes) -> bytes:
    """Return the content packed with `gzip` or `zstd`, with a checksum."""
    if packing == "gzip":
        return gzip.compress(content)
    return zstd.compress(content, options={zstd.CompressionParameter.checksum_flag: 1})


def pack_file(packing: str, file: Path) -> Path:
    """Replace a file by its packed self."""
    packed = file.with_name(file.name + SUFFIXES[packing])
    packed.write_bytes(pack(packing, file.read_bytes()))
    file.unlink()
    return packed


def write_parquet(file: Path, select: str) -> Path:
    """Write what a query returns."""
    with duckdb.connect() as database:
        database.execute(f"COPY ({select}) TO '{file}' (FORMAT parquet)")
    return file
