"""The predictors: one module each, with its settings, citations and glossary entry."""
