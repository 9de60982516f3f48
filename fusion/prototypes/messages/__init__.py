"""What owners of experts tell each other over a graph, so that a newcomer need not ask them."""
