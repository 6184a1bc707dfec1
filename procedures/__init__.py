"""Procedures: the test cases, one module per chapter of a test plan."""
