"""The nodes: one in each file, which has its name; the graph's builder passes its dependencies."""
