"""What a caller can get wrong, named once."""


class CatalogError(Exception):
    """The root of everything that the catalog's own rules refuse."""


class InvalidIdError(CatalogError):
    """The path or query holds no usable id."""


class BadRequestError(CatalogError):
    """What is asked for is not served; the message says what, and callers are told it as a 400."""


class InvalidPageError(BadRequestError):
    """`page` or `count` is not a whole number of at least 1; the message names which."""


class InvalidProfileError(BadRequestError):
    """The profile asked for is not one that is served."""


class InvalidIdsError(BadRequestError):
    """A list of ids is missing, too long, or holds something else; the message says which."""


class InvalidKeyError(BadRequestError):
    """An idempotency key that cannot be used; the message says why."""


class InvalidConditionError(BadRequestError):
    """`If-Match` or `If-None-Match` of a change cannot be read; the message says which."""


class InvalidSortError(BadRequestError):
    """Reviews are not served in the order asked for."""


class InvalidSearchError(BadRequestError):
    """Products cannot be searched for in this way; the message says why."""


class InvalidExportError(BadRequestError):
    """Products cannot be exported in this way; the message says why."""


class ExportBusyError(CatalogError):
    """As many exports as may be are under way."""


class InvalidTokenError(BadRequestError):
    """A page token was not signed here, or belongs to another list."""


class InvalidBodyError(CatalogError):
    """A request's body is not what it must be; the message says what and where."""


class MissingItemError(CatalogError):
    """There is no product, review, question or answer of this id."""


class PreconditionFailedError(CatalogError):
    """What a caller made a condition of its change does not hold; the message says what."""


class ConflictError(CatalogError):
    """What is asked for does not go with what is stored; the message says why."""


class UnsupportedTypeError(CatalogError):
    """A body of this media type is not read here; the message says which are.

    Attributes:
        accepted: the media types that are read.
    """

    def __init__(self, accepted: tuple[str, ...]) -> None:
        super().__init__(f"The body must be {' or '.join(accepted)}.")
        self.accepted = accepted


class KeyReusedError(CatalogError):
    """An idempotency key came with another request than before."""


class InProgressError(CatalogError):
    """The same request is being worked on.

    Attributes:
        retry_after_seconds: when it will have ended at the latest.
    """

    def __init__(self, retry_after_seconds: int) -> None:
        super().__init__("The same request is being worked on.")
        self.retry_after_seconds = retry_after_seconds
