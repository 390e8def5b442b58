"""Text that people choose and others see, on terminals too."""

SHOWN = r"^[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]*$(?!\n)"
"""No control characters, line separators or turns of direction: they would colour a terminal, or pretend to be another row of a table."""
