"""Nodes: one a file, named after it; each gets the parts it works with from the graph's builder."""
