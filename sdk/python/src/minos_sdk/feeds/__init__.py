"""Ways for signals to get here."""
