"""The sections of a scenario as records, a file each."""
