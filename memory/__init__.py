"""Memory of one user at a time: episodes, profile and persona in the store, embeddings in the index."""
