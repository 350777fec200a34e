"""Who did what, when: a list that only grows."""
