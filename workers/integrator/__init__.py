"""The integrator: it grows the audit tree behind the log, and publishes signed checkpoints of it."""
