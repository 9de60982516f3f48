"""Models that owners hand over as files, fused without a scenario: what ``coolgp fuse`` does."""
