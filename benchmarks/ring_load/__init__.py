"""A steady load on a whole ring, a record of every write, and the check of what became of them."""
