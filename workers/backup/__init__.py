"""Backups of an authority: made while it serves, checked, restored."""
