"""From a Scene, a Persona and the turns so far to a Reply."""
