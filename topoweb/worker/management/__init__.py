"""Management of the worker side."""
