"""How fast the bot is on the machine at hand, and against what else could have been done: python -m export.bench."""
