"""Backups of a ring: what they consist of, and the places that keep them."""
