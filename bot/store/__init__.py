"""What is remembered: conversations, in SQL, without photos."""
