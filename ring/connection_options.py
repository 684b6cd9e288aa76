"""From the settings to what every connection of this process has in common."""

from ring.settings import RingSettings
from ring.transport import ConnectionOptions


def connection_options(settings: RingSettings) -> ConnectionOptions:
    """Read password and certificates, and put them with the rest of the settings.

    Raises:
        RingSettingsError: a password or certificate file cannot be read.
    """
    return ConnectionOptions(
        protocol_version=settings.protocol_version,
        keyspace=settings.keyspace,
        username=settings.username or None,
        password=settings.read_password() or None,
        tls=settings.tls_context(),
        tls_server_name=settings.tls_server_name or None,
        compression=settings.compression or None,
        # Above what may be in flight, because all statements are prepared at once and probes go
        # beside them.
        max_requests=min(32768, max(2048, 4 * settings.max_in_flight)),
        application_name="catalog",
    )
