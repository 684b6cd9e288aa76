"""Operations: what changes the ring, step by step, and what advises to."""
