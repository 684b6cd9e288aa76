"""What a stored row is, for every reader and writer."""
