"""Rules that fuse the models' answers to queries, which need to know nothing else of them."""
