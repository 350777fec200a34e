"""topoweb: a web visual topology designer on the real Linux kernel."""
