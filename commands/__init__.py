"""Carries one wish to one decision: a message and its handler in one file per use case."""
