"""Rules that know experts by queries alone: they climb their product, or imitate them and fuse the imitators."""
