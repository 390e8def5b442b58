"""Keeping the log small, as the role that owns it: partitions are closed and sealed, payloads whose time is over go."""
