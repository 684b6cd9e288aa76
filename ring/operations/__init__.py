"""Operations on the ring: what adds, mends or shows its nodes, in one safe command each."""
