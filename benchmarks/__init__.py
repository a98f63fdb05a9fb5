"""What `make bench` runs: what loading costs, beside DuckDB alone and beside other loaders."""
