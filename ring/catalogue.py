"""The statements of a client by name, as the nodes have prepared them."""

import dataclasses
from collections.abc import Iterable, Mapping

from ring.bound import Bound
from ring.errors import RingRequestError, RingUnavailableError
from ring.many import many_statement
from ring.statements import Consistency, Statement
from ring.transport import Prepared


class Catalogue:
    """What a client was opened with.

    Attributes:
        cql: all that a node has to prepare.
    """

    def __init__(self, statements: Iterable[Statement]) -> None:
        self._by_name = {statement.name: statement for statement in statements}
        self.cql = tuple(
            dict.fromkeys(
                cql for one in self._by_name.values() for cql in (one.cql, one.many_cql) if cql
            )
        )
        self._bound: dict[str, Bound] = {}
        self._single_replica: set[str] = set()
        self._at_quorum = False

    def take(self, prepared: Mapping[str, Prepared]) -> None:
        """Take what a node told, by CQL."""
        for statement in self._by_name.values():
            one = prepared[statement.cql]
            many = prepared[statement.many_cql] if statement.many_cql else None
            self.renew(Bound(statement, one, many))
            if many is not None:
                self.renew(Bound(many_statement(statement), many, None))

    def renew(self, bound: Bound) -> None:
        """The latest word counts: a table may have changed since a node first told of it."""
        name = bound.statement.name
        known = self._bound.get(name)
        if known is None and bound.statement.consistency == Consistency.LOCAL_ONE:
            self._single_replica.add(name)
        if known is None or not bound.reads_as(known):
            self._bound[name] = self._levelled(bound)

    def read_at_quorum(self, *, wanted: bool) -> None:
        """Run at LOCAL_QUORUM what is LOCAL_ONE, or not any more; for calls that begin later.

        While replicas are being filled, a single one may be one that has no rows yet.
        """
        if wanted == self._at_quorum:
            return
        self._at_quorum = wanted
        for name in self._single_replica:
            self._bound[name] = self._levelled(self._bound[name])

    def _levelled(self, bound: Bound) -> Bound:
        if bound.statement.name not in self._single_replica:
            return bound
        level = Consistency.LOCAL_QUORUM if self._at_quorum else Consistency.LOCAL_ONE
        if bound.statement.consistency == level:
            return bound
        return Bound(
            dataclasses.replace(bound.statement, consistency=level), bound.prepared, bound.many
        )

    def find(self, name: str) -> Bound:
        """Return the statement of this name.

        Raises:
            RingUnavailableError: no node has prepared it yet.
            RingRequestError: there is none of this name.
        """
        bound = self._bound.get(name)
        if bound is not None:
            return bound
        if name in self._by_name:
            raise RingUnavailableError(f"{name}: no node has prepared it yet")
        raise RingRequestError(f"{name}: no statement of this name was opened with the client")
