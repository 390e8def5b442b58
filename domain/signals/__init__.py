"""What services elsewhere are told at once: that a token in hand, or a part of it, is worth nothing any more.

`changes` says of each event what it changes, `facts` are what is told of it, `telling` makes the one of the other and of what is true now,
and `lives` says how long it has to be remembered. A fact is merged by its epoch or version and by nothing else, so the order in which
facts arrive, and how often, counts for nothing (docs/explanation/signals.md).
"""
