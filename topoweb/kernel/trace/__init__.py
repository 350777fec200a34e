"""Sources of observations. Each tier keeps the contract of `engine.tracing.CaptureSource`."""
