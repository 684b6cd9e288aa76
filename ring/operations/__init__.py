"""Operations on the ring: everything that adds, mends or shows its nodes, in one safe command each."""
