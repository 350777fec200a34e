"""serve, worker, tracer, cleanup, export_contracts."""
