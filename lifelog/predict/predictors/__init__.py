"""The predictors: one module each, with its settings, citation and glossary entry."""
