"""Users with similar importance: importance vectors, their clustering, groups of users, and embeddings."""
