"""Benchmarks of time and memory against a plain reference implementation. `python -m benchmarks --help`."""
