"""Why a packet did not arrive: observations and state in, a verdict out."""
