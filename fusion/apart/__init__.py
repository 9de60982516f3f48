"""Rules that fuse models trained apart: a contract, a registry, and a file each."""
