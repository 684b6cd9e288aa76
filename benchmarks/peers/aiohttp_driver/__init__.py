"""aiohttp on uvloop with the plain cassandra-driver."""
