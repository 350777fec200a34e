"""Who one is: sign-in links, passwords, API tokens."""
