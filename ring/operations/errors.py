"""What can go wrong with an operation on the ring: each says why, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ring.nodes.errors import NodesError


class OperationError(NodesError):
    """An operation could not go on. It can be run again as soon as the reason is gone."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an operation must not begin (or go on), and what to do first."""

    reason: str
    advice: str


class RefusedError(OperationError):
    """What must hold does not; `refusals` has every reason, not only the first."""

    def __init__(self, refusals: Sequence[Refusal]) -> None:
        super().__init__(
            "\n".join(refusal.reason for refusal in refusals),
            advice="\n".join(dict.fromkeys(refusal.advice for refusal in refusals)),
        )
        self.refusals = tuple(refusals)
