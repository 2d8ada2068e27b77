"""Benchmarks: Cheeper beside what a user would pick instead, in one run on one machine. Ratios count."""
