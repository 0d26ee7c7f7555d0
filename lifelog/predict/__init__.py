"""Predictors of the target behind one interface, trained once a group of a grouping scheme."""
