"""Helpful votes: an exact count in the item's own row, by lightweight transactions.

A transaction adds a number of votes and leaves a mark beside the items. When its outcome is not
told, the mark tells it, so the same votes can be asked for again without being counted twice.
"""

from dataclasses import dataclass

from catalog_api.domain.errors import MissingItemError
from catalog_api.repositories.repository import Repository
from ring.statements import Statement
from schema.statements.questions import (
    ADD_QUESTION_VOTES,
    SELECT_QUESTION_VOTE,
    SELECT_QUESTION_VOTES,
)
from schema.statements.reviews import ADD_REVIEW_VOTES, SELECT_REVIEW_VOTE, SELECT_REVIEW_VOTES


@dataclass(frozen=True, slots=True)
class VotedItem:
    """One review, question or answer that is voted on: the columns of its key."""

    product_id: int
    review_id: int | None = None
    question_id: int = 0
    answer_id: int = 0


class VotesRepository(Repository):
    """Reads and changes the votes of items."""

    async def fetch_votes(self, item: VotedItem) -> int | None:
        """Return the votes made here; None stands for none yet. Consistency: LOCAL_QUORUM.

        Raises:
            MissingItemError: there is no such item.
            RingError: too few replicas answered in time.
        """
        statement: Statement = SELECT_QUESTION_VOTES
        key: tuple[int, ...] = (item.product_id, item.question_id, item.answer_id)
        if item.review_id is not None:
            statement, key = SELECT_REVIEW_VOTES, (item.product_id, item.review_id)
        row = await self._rows.fetch_one(statement.name, key, timeout_seconds=self._timeout_seconds)
        if row is None or not row[0]:
            raise MissingItemError(str(item))
        votes: int | None = row[1]
        return votes

    async def add(self, item: VotedItem, known: int | None, added: int, mark: int) -> bool:
        """Add votes if `known` is still the number; returns whether it was. One transaction.

        Consistency: LOCAL_SERIAL, LOCAL_QUORUM. Not idempotent: ask `is_added` after an error.

        Raises:
            RingError: the outcome is unknown.
        """
        votes = (known or 0) + added
        if item.review_id is not None:
            rows = await self._execute(
                ADD_REVIEW_VOTES,
                (
                    *(votes, item.product_id, item.review_id, known),
                    *(item.product_id, mark, item.review_id, votes),
                ),
            )
        else:
            rows = await self._execute(
                ADD_QUESTION_VOTES,
                (
                    *(votes, item.product_id, item.question_id, item.answer_id, known),
                    *(item.product_id, mark, votes),
                ),
            )
        return bool(rows[0][0])

    async def fetch_outcome(self, item: VotedItem, mark: int) -> tuple[bool, int | None]:
        """Return whether the transaction of this mark took place, and the votes as they are.

        Consistency: LOCAL_SERIAL, which also ends what is still under way.

        Raises:
            RingError: too few replicas answered in time.
        """
        if item.review_id is not None:
            rows = await self._execute(SELECT_REVIEW_VOTE, (item.product_id, item.review_id, mark))
            marks, places = [row for row in rows if row[0] == 1], rows
        else:
            rows = await self._execute(
                SELECT_QUESTION_VOTE, (item.product_id, item.question_id, item.answer_id, mark)
            )
            marks, places = [row for row in rows if row[0] == -1], rows
        votes = [row[1] for row in places if row not in marks]
        return bool(marks), votes[0] if votes else None
