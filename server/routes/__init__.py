"""Our routes, one resource a file. The user is always the caller: no path and no body names one."""
