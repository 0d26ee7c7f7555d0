"""Raw recordings of a user to one row per labelled window, with a reason for everything that is not used."""
