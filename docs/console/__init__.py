"""Runs the ```console blocks of the documents against a real authority, for the tests and for recording real output."""
