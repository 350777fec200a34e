"""The machines that run labs, and what each can do."""
