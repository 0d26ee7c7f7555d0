"""Importance of modalities: Shapley values of held-out performance, and attention and ablation of the networks."""
