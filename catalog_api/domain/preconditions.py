"""Preconditions of a change: what the caller believes the stored state to be."""

from dataclasses import dataclass

from catalog_api.domain.errors import PreconditionFailedError


@dataclass(frozen=True, slots=True)
class Precondition:
    """What must hold before a change.

    Attributes:
        is_one_of: entity tags of which the state must have one; None when any will do.
        must_exist: there must be such a thing, in whatever state.
        must_be_new: there must be no such thing.
        is_none_of: entity tags of which the state must have none.
    """

    is_one_of: frozenset[str] | None = None
    must_exist: bool = False
    must_be_new: bool = False
    is_none_of: frozenset[str] = frozenset()

    def check(self, etag: str | None) -> None:
        """Compare with the state's entity tag; None when there is no such thing.

        Raises:
            PreconditionFailedError: it does not hold.
        """
        if etag is None:
            if self.must_exist or self.is_one_of is not None:
                raise PreconditionFailedError("There is nothing that If-Match could match.")
            return
        if self.must_be_new:
            raise PreconditionFailedError("It exists already.")
        if self.is_one_of is not None and etag not in self.is_one_of:
            raise PreconditionFailedError("It has changed meanwhile.")
        if etag in self.is_none_of:
            raise PreconditionFailedError("It still has this entity tag.")


NO_PRECONDITION = Precondition()
