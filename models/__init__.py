"""PyTorch networks, their data and their training. Never imported by the bot."""
