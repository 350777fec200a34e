"""The worker without Django: reconcile, feeds, streams, probes. Asyncio, no framework."""
