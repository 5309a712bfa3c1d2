"""The index: embeddings of the episodes' queries, behind one protocol. The store can rebuild it."""
