"""The routes of our own, one resource a file."""
