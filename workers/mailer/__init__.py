"""Writes to people: turns events into rows of a ledger, and delivers the rows that are due."""
