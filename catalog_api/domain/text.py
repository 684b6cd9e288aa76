"""Text as callers send it: any characters but those that no store or reader agrees upon."""

from typing import Final

from catalog_api.domain.errors import InvalidBodyError

STORABLE: Final = {"pattern": r"^[^\u0000]*$"}
"""What `refuse_unstorable` wants of a text, for those who read a schema."""


def refuse_unstorable(value: object, place: str = "$") -> None:
    """Look through a decoded document.

    Raises:
        InvalidBodyError: a text or a key holds a NUL character, or half of a surrogate pair, which
            UTF-8 cannot carry.
    """
    if isinstance(value, str):
        if "\0" in value or not _is_whole(value):
            raise InvalidBodyError(f"{place}: a NUL character or a lone surrogate")
    elif isinstance(value, dict):
        for key, item in value.items():
            refuse_unstorable(key, place)
            refuse_unstorable(item, f"{place}.{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            refuse_unstorable(item, f"{place}[{index}]")


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
