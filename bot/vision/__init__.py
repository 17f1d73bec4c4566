"""From a photo to a Scene: safe decoding, faces, caption."""
