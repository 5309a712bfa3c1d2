"""Our routes: one resource a file. Whose they are is in no path and no body: the caller's."""
