"""Real servers for tests, benchmarks and `make hub`. Nothing here needs pytest."""
