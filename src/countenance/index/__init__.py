"""Templates to hits: the embedded index."""
