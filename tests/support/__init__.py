"""What tests share: rings, generated rows, faults."""
