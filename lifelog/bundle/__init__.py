"""Fitted models with all that they need to predict new recordings, as a folder without code."""
