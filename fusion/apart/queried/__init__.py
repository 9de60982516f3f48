"""Rules that imitate experts by queries, and fuse the imitators."""
