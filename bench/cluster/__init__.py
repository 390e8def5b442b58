"""Minos on several machines: network namespaces on a bridge, whose links and processes are cut, killed and healed under load."""
