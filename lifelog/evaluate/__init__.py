"""Metrics, intervals and tests, and the conclusion of a comparison."""
