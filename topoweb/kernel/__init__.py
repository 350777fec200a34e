"""Linux: namespaces, netlink, captures, probes. No Django here."""
