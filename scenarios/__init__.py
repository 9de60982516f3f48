"""Runnable scenarios: configuration, data, the loop, what it records, and the command line."""
