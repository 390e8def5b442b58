"""Tells services at once what they may no longer believe: events become facts, facts signed messages (docs/explanation/signals.md)."""
