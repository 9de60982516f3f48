"""What moves: pictures of a run round by round, and how they are written."""
