"""Labs: drawings with history, the wish to run them, and what became of it."""
