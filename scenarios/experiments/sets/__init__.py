"""Sets of vectors that groups bring, matched in one place: scenarios with a section [vectors]."""
