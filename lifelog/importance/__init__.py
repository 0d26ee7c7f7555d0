"""The value of each modality for a user: Shapley values of held-out performance."""
