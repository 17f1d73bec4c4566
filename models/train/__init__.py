"""One training script a model: python -m models.train.<name> --help."""
