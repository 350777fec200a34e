"""A node as a place where programs run: a crun container joined to the lab's namespaces."""
