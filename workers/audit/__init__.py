"""The whole log checked against itself, its tree, what was published of it, and all that is made from it."""
