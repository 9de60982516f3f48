"""Graphs of agents, their division over ranks, and the exchange of messages along their edges."""
