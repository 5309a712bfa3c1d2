"""Episodes from files and to files: JSON lines, and the exports of ChatGPT and Claude."""
