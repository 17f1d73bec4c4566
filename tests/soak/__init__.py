"""Thousands of messages on the loopback Discord, and a ledger of what has to be answered."""
