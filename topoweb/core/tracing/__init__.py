"""What happened: live state, observations of packets, and the traces made of them."""
