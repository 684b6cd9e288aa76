"""The ring-aware client, the one door to Cassandra, and the scripts that run its nodes."""

from ring.batches import MAX_BATCH_ROWS, RowBatch
from ring.client import RingClient
from ring.errors import (
    RingError,
    RingOverloadedError,
    RingRequestError,
    RingSchemaError,
    RingSettingsError,
    RingTimeoutError,
    RingUnavailableError,
)
from ring.settings import RingSettings, load_settings, setting
from ring.statements import Consistency, Statement
from ring.topology import RingNode, RingState

__all__ = [
    "MAX_BATCH_ROWS",
    "Consistency",
    "RingClient",
    "RingError",
    "RingNode",
    "RingOverloadedError",
    "RingRequestError",
    "RingSchemaError",
    "RingSettings",
    "RingSettingsError",
    "RingState",
    "RingTimeoutError",
    "RingUnavailableError",
    "RowBatch",
    "Statement",
    "load_settings",
    "setting",
]
