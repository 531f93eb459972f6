"""How large and how certain: pure functions on small tables of cells."""
