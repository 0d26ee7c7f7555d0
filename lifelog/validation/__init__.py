"""Whether importance, groups and verdicts are right, on simulated cohorts that no default was chosen on."""
