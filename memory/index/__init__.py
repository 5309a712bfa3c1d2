"""The index: embeddings of the episodes' queries, behind one protocol; rebuilt from the store."""
