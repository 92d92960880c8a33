"""Kernels and terminals: which there are, and what each of them uses."""
