"""Does the persona help? Each version is tested on later episodes, in order of time."""
