"""Tables of a run → figures and one page for people."""
