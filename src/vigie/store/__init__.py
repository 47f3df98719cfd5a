"""The only SQL (SQLite for facts, DuckDB for observations) and the only Parquet."""
