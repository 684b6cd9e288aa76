"""Making a legacy-shaped set of files: what stands in them, what is wrong with them, how many."""
