"""Experiment trackers: programs outside that are told of a run's rounds, beside metrics.csv."""
