"""Discord features, one a file."""
