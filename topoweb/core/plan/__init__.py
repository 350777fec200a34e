"""What must be done: desired state, observed state, and the actions between them."""
