"""What stops `generate`. Nothing is left behind that looks like a whole set."""


class GenerateError(Exception):
    """The root of everything that `generate` raises; the message is for the person who runs it."""


class GenerateUsageError(GenerateError):
    """The command line asks for what cannot be made, or for where it must not be written."""


class GenerateSpaceError(GenerateError):
    """The disk is full, or is too small for a set of this size."""
