"""Vectors that say what an SDK has to accept and refuse, and a runner that asks any program in any language."""
