"""The two profiles of value types that the legacy clients were written against."""

from enum import Enum

from catalog_api.domain.errors import InvalidProfileError


class Profile(Enum):
    """Which types a body's values have; 2021 is the stored form and the fast path."""

    Y2020 = "2020"
    Y2021 = "2021"


def read_profile(text: str) -> Profile:
    """Return the profile of this name.

    Raises:
        InvalidProfileError: there is no such profile.
    """
    try:
        return Profile(text)
    except ValueError as error:
        raise InvalidProfileError("X-Legacy-Profile: the profile must be 2020 or 2021") from error
