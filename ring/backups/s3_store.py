"""Backups in a bucket of any store that speaks S3, through `obstore`.

obstore reads the variables that all S3 clients share (AWS_ENDPOINT_URL, AWS_REGION,
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …); the credentials file that they share is read here.
"""

import asyncio
import configparser
import os
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ring.backups.errors import NotInStoreError, StoreError
from ring.backups.store import CALL_SECONDS, CHUNK_BYTES, deadline_seconds, remove_scratch

try:
    import obstore
    from obstore.exceptions import BaseError
    from obstore.store import S3Store as Bucket
except ImportError as error:
    raise StoreError(
        "backups to S3 need the package obstore",
        advice="pip install 'catalog[s3]' (make venv does it).",
    ) from error

if TYPE_CHECKING:
    # They exist for type checkers only.
    from obstore.store import ClientConfig, RetryConfig, S3Config

_PART_BYTES: Final = 8 * 1024**2
_MOST_PARTS: Final = 9_000
"""S3 takes ten thousand."""
_PARTS_AT_ONCE: Final = 4
# A request that moves a part; reading a file is one request, however large it is.
_REQUEST: Final = timedelta(hours=6)
_RETRY: "Final[RetryConfig]" = {
    "max_retries": 10,
    "retry_timeout": timedelta(seconds=CALL_SECONDS),
}
_CREDENTIALS: Final = Path("~/.aws/credentials")


class S3Store:
    """A bucket, or what has a prefix in one. Objects appear whole: that is how S3 is."""

    def __init__(self, bucket: Bucket, place: str, scratch: Path) -> None:
        self._bucket = bucket
        self._place = place
        self._scratch = scratch

    def __repr__(self) -> str:
        return f"<S3Store {self._place}>"

    @classmethod
    def open(cls, bucket: str, prefix: str, environ: Mapping[str, str] = os.environ) -> "S3Store":
        """Open without a request; the first call tells whether we are let in.

        Raises:
            StoreError: no bucket is named, or a variable or the credentials file is wrong.
        """
        prefix = prefix.strip("/")
        place = f"s3://{bucket}/{prefix}".rstrip("/")
        if not bucket:
            raise StoreError("s3:// names no bucket", advice="Name s3://bucket/prefix.")
        plain = any(
            environ.get(name, "").startswith("http://")
            for name in ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
        )
        options: ClientConfig = {
            "timeout": _REQUEST,
            "connect_timeout": timedelta(seconds=5),
            "allow_http": plain,
        }
        with _named(place):
            opened = Bucket(
                bucket,
                prefix=prefix or None,
                config={**_credentials(environ), "disable_bulk_delete": True},
                client_options=options,
                retry_config=_RETRY,
            )
        return cls(opened, place, Path(tempfile.mkdtemp(prefix="catalog-backup-")))

    @property
    def place(self) -> str:
        """The URL."""
        return self._place

    @property
    def scratch(self) -> Path:
        """A temporary folder of this machine (TMPDIR)."""
        return self._scratch

    async def list_sizes(self, prefix: str) -> dict[str, int]:
        """Return the objects below a prefix, with their bytes: a request a thousand."""
        with _named(self._place):
            sizes: dict[str, int] = {}
            listing = obstore.list(self._bucket, prefix).__aiter__()
            while True:
                async with asyncio.timeout(CALL_SECONDS):
                    page = await anext(listing, None)
                if page is None:
                    return sizes
                sizes |= {entry["path"]: entry["size"] for entry in page}

    async def read(self, name: str) -> AsyncIterator[bytes]:
        """Iterate over an object's bytes."""
        with _named(f"{self._place}: {name}"):
            async with asyncio.timeout(CALL_SECONDS):
                found = await obstore.get_async(self._bucket, name)
            stream = found.stream(min_chunk_size=CHUNK_BYTES).__aiter__()
            while True:
                async with asyncio.timeout(CALL_SECONDS):
                    chunk = await anext(stream, None)
                if chunk is None:
                    return
                yield bytes(chunk)

    async def write(self, name: str, content: bytes) -> None:
        """Write a small object by one request."""
        with _named(f"{self._place}: {name}"):
            async with asyncio.timeout(deadline_seconds(len(content))):
                await obstore.put_async(self._bucket, name, content, use_multipart=False)

    async def put_file(self, source: Path, name: str) -> None:
        """Send a file, a large one in parts; of one that was broken off, S3 keeps the parts."""
        size_bytes = (await asyncio.to_thread(source.stat)).st_size
        with _named(f"{self._place}: {name}"):
            async with asyncio.timeout(deadline_seconds(size_bytes)):
                await obstore.put_async(
                    self._bucket,
                    name,
                    source,
                    chunk_size=max(_PART_BYTES, size_bytes // _MOST_PARTS + 1),
                    max_concurrency=_PARTS_AT_ONCE,
                )
        await asyncio.to_thread(source.unlink)

    async def delete(self, names: Sequence[str]) -> None:
        """Delete objects one by one, which every store can; ten at a time."""
        if not names:
            return
        with _named(self._place):
            async with asyncio.timeout(CALL_SECONDS + len(names)):
                await obstore.delete_async(self._bucket, list(names))

    async def free_bytes(self) -> int | None:
        """Nobody can say."""
        return None

    def close(self) -> None:
        """Remove the scratch folder."""
        remove_scratch(self._scratch)


def _credentials(environ: Mapping[str, str]) -> "S3Config":
    """Return what the shared credentials file says; empty when the environment has keys."""
    if environ.get("AWS_ACCESS_KEY_ID"):
        return {}
    path = Path(environ.get("AWS_SHARED_CREDENTIALS_FILE", "") or _CREDENTIALS).expanduser()
    profile = environ.get("AWS_PROFILE", "") or "default"
    parser = configparser.ConfigParser(interpolation=None)
    try:
        if not parser.read(path, encoding="utf-8") or not parser.has_section(profile):
            # A machine in a cloud may be given keys by its host, which obstore asks.
            return {}
        found = parser[profile]
        config: S3Config = {
            "access_key_id": found["aws_access_key_id"],
            "secret_access_key": found["aws_secret_access_key"],
        }
        if token := found.get("aws_session_token"):
            config["session_token"] = token
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError) as error:
        raise StoreError(
            f"credentials file {path}, profile {profile}: {error}",
            advice="It needs aws_access_key_id and aws_secret_access_key.",
        ) from error
    return config


@contextmanager
def _named(what: str) -> Iterator[None]:
    """Name what failed, and let no error of the library out."""
    try:
        yield
    except FileNotFoundError as error:
        raise NotInStoreError(
            f"{what}: not found", advice="Look at the bucket's name, the prefix and the endpoint."
        ) from error
    except (BaseError, OSError, ValueError) as error:
        text = str(error) or "no answer in time"
        raise StoreError(
            f"{what}: {text.splitlines()[0][:300]}",
            advice=(
                "AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or"
                " the credentials file) say where the store is and who asks; then run this again."
            ),
        ) from error
