"""How the vectors are made: by the authority in memory that the tests have, with fresh keys each time."""
