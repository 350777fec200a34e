"""The browser's WebSocket: facts from the database, streams from worker and tracer."""
