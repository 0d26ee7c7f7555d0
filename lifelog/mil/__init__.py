"""The personal model: a bag is a window, its instances are the modalities, its attention says which of them matter."""
