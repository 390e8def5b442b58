"""What happened and what may happen next: events, states and pure decisions.

Standard library and msgspec only. No clock, no ids made here, no I/O, no await.
"""
