"""Repositories speak CQL, by the statement names of `schema.statements`."""
