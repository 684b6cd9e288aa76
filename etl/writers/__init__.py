"""Ways of getting rendered rows into Cassandra."""
