"""Speaks HTTP: routes, who is calling, refusal to problem, pages."""
