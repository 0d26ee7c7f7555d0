"""The view models, one module per page: ready sentences, cells and rows, which the templates insert."""
