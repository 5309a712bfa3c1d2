"""Closed questions: recognising them, what each source says, and weighing the sources."""
