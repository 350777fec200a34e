"""What is drawn: the topology, its stored document, its rules and its changes."""
