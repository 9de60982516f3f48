"""Newcomers' networks on drawn tasks, beside what else a newcomer could do."""
