"""Assignment of windows to training, validation and test subsets, in folds."""
