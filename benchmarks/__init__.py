"""Benchmarks: one file per workload, each callable as `python -m benchmarks.<name>`."""
