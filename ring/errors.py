"""What can go wrong between us and Cassandra, named once.

Every error of the driver's codecs, the sockets and the server becomes one of these at the edge of
`ring`, with its cause kept (`raise … from`).
"""


class RingError(Exception):
    """The root of everything that `ring` raises."""


class RingUnavailableError(RingError):
    """No node could serve the statement; trying again later is the right thing to do.

    Attributes:
        retry_after_seconds: when a next attempt has a chance (whole seconds, at least 1).
    """

    def __init__(self, message: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class RingOverloadedError(RingUnavailableError):
    """The queue before Cassandra is full: refused at once instead of timing out later."""


class RingTimeoutError(RingUnavailableError):
    """The deadline passed before a node answered. A write may or may not have been applied."""


class RingRequestError(RingError):
    """Cassandra refused the statement itself: a bug of ours or a schema that does not match."""


class RingSettingsError(RingError):
    """A setting has a value that cannot be used; the message names the setting."""


class RingSchemaError(RingError):
    """The schema could not be applied or the nodes did not agree on it in time."""
