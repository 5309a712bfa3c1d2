"""The report of a run: Markdown, one HTML file that opens offline, and JSON."""
