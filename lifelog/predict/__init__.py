"""Predictors of the target behind one interface, trained once per group of a grouping scheme."""
