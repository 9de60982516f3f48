"""The interactive part of a run's report: errors of agents on the graph, and the values of a round."""
