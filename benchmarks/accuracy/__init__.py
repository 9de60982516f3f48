"""How accurate fused models are beside one model of all rows: ``python -m benchmarks accuracy``."""
