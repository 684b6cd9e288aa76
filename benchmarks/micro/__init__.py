"""Single parts, measured without a Cassandra."""
