"""People with like importance: clustering of importance vectors, the groups made of it, and pictures of the space."""
