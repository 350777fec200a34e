"""Commands about labs."""
