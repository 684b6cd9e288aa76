"""Settings of the app server: environment, then file, then the defaults here.

The environment variable is `CATALOG_` and the field's name in upper case; `ring.settings` loads.
Every field is listed in this room's README; a test holds the two together.
"""

import logging
import re
import secrets
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from catalog_api.callers import Network, read_networks
from catalog_api.domain.profile import Profile
from ring.errors import RingSettingsError
from ring.settings import PREFIX, setting

_logger: Final = logging.getLogger(__name__)
_MOUNT: Final = re.compile(r"(/[A-Za-z0-9._~-]+)*")
_SECRET_CHARACTERS: Final = 32
_AT_LEAST_ONE: Final = (
    *("max_page_rows", "parallel_block_reads", "review_order_rows", "max_cart_posts"),
    *("max_bulk_ids", "bulk_write_rows", "max_body_bytes", "backlog"),
    *("find_page_rows", "find_budget_rows", "exports"),
)
_ABOVE_ZERO: Final = (
    *("directory_refresh_seconds", "request_deadline_seconds", "readiness_deadline_seconds"),
    *("review_refresh_seconds", "bulk_idle_seconds", "keepalive_seconds"),
    *("find_budget_seconds", "export_stall_seconds"),
)
_NOT_NEGATIVE: Final = (
    *("drain_seconds", "shutdown_grace_seconds", "compress_min_bytes"),
    *("votes_per_minute", "posts_per_minute"),
)
_DAYS: Final = ("session_days", "cart_days", "interaction_days")
# Cassandra keeps a TTL of at most twenty years.
_MOST_DAYS: Final = 7_300
_HEADER_VALUE: Final = re.compile(r"[ -~]*")


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What an app server is told; each field's `doc` says what for and why its default.

    Raises:
        ValueError: a value cannot be used; the message names the setting. The loader makes it a
            `RingSettingsError`.
    """

    host: str = setting(
        "127.0.0.1", "Address to listen on. Loopback by default; nginx is the public face."
    )
    port: int = setting(8080, "Port to listen on; 0 takes a free one.")
    workers: int = setting(1, "Processes that share the port. One a core is the most that helps.")
    profile: str = setting(
        "2021", "Profile of value types: 2021 or 2020; `X-Legacy-Profile` overrides it."
    )
    mount: str = setting(
        "/api/fec2", "Second home of every path, as `<mount>/<any campus>/…`; empty for none."
    )
    max_page_rows: int = setting(1000, "Most rows that one answer carries, whatever `count` asks.")
    parallel_block_reads: int = setting(
        16, "Most reads that one page of /products has under way at once."
    )
    directory_refresh_seconds: float = setting(
        0.5, "How old the directory behind /products may grow; jittered by a fifth."
    )
    intent_seconds: float = setting(
        15.0, "A change of a product that is this old is finished by whoever finds it."
    )
    max_bulk_ids: int = setting(1000, "Most ids that one bulk read of products may name.")
    bulk_write_rows: int = setting(
        64, "Rows of one bulk write that are worked on at once; as many outcomes wait at most."
    )
    bulk_idle_seconds: float = setting(
        30.0, "Longest that a bulk write may send nothing before it is ended."
    )
    idempotency_lease_seconds: float = setting(
        15.0, "An idempotent request that is this old without an answer may be begun again."
    )
    request_deadline_seconds: float = setting(
        5.0, "Longest that a request may take before it is answered by 503."
    )
    readiness_deadline_seconds: float = setting(
        1.0, "Longest that the read behind /readyz may take."
    )
    review_order_rows: int = setting(
        500_000,
        "Reviews whose order a worker keeps in memory (56 bytes each), for products with many.",
    )
    review_refresh_seconds: float = setting(
        300.0, "Orders and sums of reviews kept in memory are read anew after this, for loads."
    )
    find_page_rows: int = setting(100, "Most products that one page of a search has.")
    find_budget_rows: int = setting(
        10_000, "Rows that a page of a search looks at, at most, where no index helps."
    )
    find_budget_seconds: float = setting(
        1.0, "After this a page of a search comes back with what it has, and where to go on."
    )
    exports: int = setting(1, "Exports that one process has under way; further ones get 503.")
    export_share: float = setting(
        0.25, "Share of its time that an export works; it rests for the remainder."
    )
    export_stall_seconds: float = setting(
        60.0, "Longest that who exports may read nothing before the connection is cut."
    )
    session_secret: str = field(
        default="",
        repr=False,
        metadata={
            "doc": "Secret that signs session cookies, at least 32 characters; after it, separated"
            " by white space, older ones that are still accepted. Empty: a random one each start."
        },
    )
    session_secret_file: str = setting("", "File that holds them; wins over the variable.")
    session_days: int = setting(
        90, "Life of a session cookie; one that is used is renewed after half of it."
    )
    cart_days: int = setting(90, "Life of what is put into a cart.")
    max_cart_posts: int = setting(1000, "Posts that a cart holds; beyond it 409.")
    interaction_days: int = setting(90, "Life of an interaction.")
    trusted_proxies: str = setting(
        "127.0.0.0/8,::1/128",
        "Networks whose X-Forwarded-For and X-Forwarded-Proto are believed, separated by commas.",
    )
    votes_per_minute: int = setting(
        60, "Votes and reports that one caller may make in a minute; 0: any number."
    )
    posts_per_minute: int = setting(
        20, "Reviews, questions and answers that one caller may post in a minute; 0: any number."
    )
    max_body_bytes: int = setting(262_144, "Largest request body; beyond it 413.")
    cache_control: str = setting(
        "public, no-cache",
        "Cache-Control of product answers: keep, but ask whether it still holds.",
    )
    compress_min_bytes: int = setting(
        4096, "Stored bodies of this size or more are gzipped for those who ask."
    )
    cors_origins: str = setting(
        "*", "Origins that browsers may read from: `*` or a comma-separated list."
    )
    keepalive_seconds: float = setting(
        75.0, "Idle connections are closed after this; above nginx's 60."
    )
    backlog: int = setting(1024, "Connections that may wait to be accepted, per worker.")
    log_sample: float = setting(0.0, "Share of requests that get a JSON log line: 0 none, 1 all.")
    drain_seconds: float = setting(
        0.0, "On a stop, /readyz answers 503 for this long before the port closes."
    )
    shutdown_grace_seconds: float = setting(
        10.0, "On a stop, longest wait for requests that are in flight."
    )
    run_directory: str = setting(
        "", "Where workers leave their figures for /metrics; empty: a temporary one."
    )

    def __post_init__(self) -> None:
        """Refuse what cannot work, before any socket is opened."""
        profiles = {profile.value for profile in Profile}
        _require("port", 0 <= self.port <= 65_535, "must be between 0 and 65535")
        _require("workers", 1 <= self.workers <= 256, "must be between 1 and 256")
        _require("profile", self.profile in profiles, "must be 2020 or 2021")
        _require(
            "mount",
            _MOUNT.fullmatch(self.mount) is not None,
            "must be empty or an absolute path without a trailing slash",
        )
        _require("export_share", 0 < self.export_share <= 1, "must be above 0 and at most 1")
        _require("log_sample", 0 <= self.log_sample <= 1, "must be between 0 and 1")
        for name in _AT_LEAST_ONE:
            _require(name, getattr(self, name) >= 1, "must be at least 1")
        for name in _ABOVE_ZERO:
            _require(name, getattr(self, name) > 0, "must be above 0")
        for name in ("intent_seconds", "idempotency_lease_seconds"):
            _require(
                name,
                getattr(self, name) >= 2 * self.request_deadline_seconds,
                "must be at least twice CATALOG_REQUEST_DEADLINE_SECONDS",
            )
        for name in _NOT_NEGATIVE:
            _require(name, getattr(self, name) >= 0, "must not be negative")
        for name in _DAYS:
            within = 1 <= getattr(self, name) <= _MOST_DAYS
            _require(name, within, f"must be between 1 and {_MOST_DAYS}")
        for name in ("cache_control", "cors_origins"):
            text = getattr(self, name)
            _require(name, _HEADER_VALUE.fullmatch(text) is not None, "must be printable ASCII")
        enough = all(len(one) >= _SECRET_CHARACTERS for one in self.session_secret.split())
        _require("session_secret", enough, f"must have {_SECRET_CHARACTERS} characters or more")
        try:
            read_networks(self.trusted_proxies)
        except ValueError as error:
            raise ValueError(f"{PREFIX}TRUSTED_PROXIES: {error}") from error

    @property
    def allowed_origins(self) -> frozenset[str] | None:
        """The origins that may read; None when every one may."""
        origins = frozenset(part.strip() for part in self.cors_origins.split(",") if part.strip())
        return None if "*" in origins else origins

    @property
    def trusted_networks(self) -> tuple[Network, ...]:
        """The proxies that are believed."""
        return read_networks(self.trusted_proxies)

    def with_session_secret(self) -> "ApiSettings":
        """Return settings whose `session_secret` is what the file holds, or random without one.

        Called before workers are forked: they must all sign and accept the same.

        Raises:
            RingSettingsError: the file cannot be read, or what it holds is too short.
        """
        text = self.session_secret
        if self.session_secret_file:
            name = f"{PREFIX}SESSION_SECRET_FILE"
            try:
                text = Path(self.session_secret_file).read_text(encoding="utf-8")
                _require("session_secret_file", text.strip() != "", "is empty")
                return replace(self, session_secret=text, session_secret_file="")
            except (OSError, ValueError) as error:
                raise RingSettingsError(f"{name}: {error}") from error
        if not text.split():
            text = secrets.token_urlsafe()
            _logger.warning(
                "no CATALOG_SESSION_SECRET: sessions end with this process, and no other"
                " app server knows them"
            )
        return replace(self, session_secret=text)


def _require(name: str, holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as its sentence
    if not holds:
        raise ValueError(f"{PREFIX}{name.upper()} {rule}")
