"""The personal network: a bag is a window, its instances are the modalities, its attention weighs them."""
