"""What people press and fill in: buttons, menus and forms."""
