"""Other libraries on the same work, each in a module, and in processes, of its own."""
