"""Benchmarks: run by `make bench`, printed as one table, never asserted."""
