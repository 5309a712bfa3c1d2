"""Has it helped: a persona tested on what came after it, in order of time."""
