"""What a caller can get wrong, named once."""


class CatalogError(Exception):
    """The root of everything that the catalog's own rules refuse."""


class InvalidProductIdError(CatalogError):
    """The path holds no usable product id."""


class InvalidPageError(CatalogError):
    """`page` or `count` is not a whole number of at least 1; the message names which."""


class InvalidProfileError(CatalogError):
    """The profile asked for is not one that is served."""
