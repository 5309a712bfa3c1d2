"""The tasks: each reads its authors' files, and scores as they do."""
