"""Rules by which agents fuse what they learned: the only place where learning meets communication."""
