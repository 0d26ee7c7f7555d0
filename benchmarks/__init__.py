"""What the package's speed and memory are, against a plain reference, in one run: `python -m benchmarks`."""
