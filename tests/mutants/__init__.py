"""The matrix of defects: run by `make mutants`, in virtual time."""
