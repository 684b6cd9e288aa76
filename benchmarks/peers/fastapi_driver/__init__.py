"""FastAPI on uvicorn with the plain cassandra-driver."""
