"""People go through everything the bot can do, on the loopback Discord."""
