"""Passwords as Argon2id hashes, made and compared in a process of their own that gives way to everything else on the machine."""
