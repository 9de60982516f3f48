"""Newcomers who refit the head of a fused network, beside what else they could do: scenarios with [heads]."""
