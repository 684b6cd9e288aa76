"""The servers that ours is measured against: each small, and at its best setting."""
