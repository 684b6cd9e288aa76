"""The ring-aware client, the one door to Cassandra, and the scripts that run its nodes."""

from ring.batches import BatchLimits, RowBatch, fetch_batch_limits
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
    "BatchLimits",
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
    "fetch_batch_limits",
    "load_settings",
    "setting",
]
