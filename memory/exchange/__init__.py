"""Episodes from files and to files: JSON lines, and the exports of other programs."""
