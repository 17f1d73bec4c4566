"""Readers for the photos, the faces and the in-character corpus."""
