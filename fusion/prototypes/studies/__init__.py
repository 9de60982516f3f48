"""Tasks drawn from labelled rows, and all that can be done about them: methods beside each other."""
