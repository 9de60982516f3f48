"""What learning hyper-parameters in a run does to its predictions: ``python -m benchmarks learning``."""
