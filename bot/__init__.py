"""Talking Photos: the person in the photo answers. This package is what runs in production."""

__version__ = "0.1.0"
