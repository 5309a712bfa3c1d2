"""One user's memory in one file, which can be moved to another machine: backup and restore."""
