"""Mail as the world takes it: a message, and the ways to hand one over."""
