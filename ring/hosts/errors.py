"""What can go wrong with hosts: each says on which, why, and what to do about it."""

from ring.nodes.errors import NodesError


class HostError(NodesError):
    """Something could not be done on a host."""


class HostUnreachableError(HostError):
    """A host does not answer. What was asked of it may have been done."""


class InventoryError(NodesError):
    """The inventory cannot be read, or names no such host."""
