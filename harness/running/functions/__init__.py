"""Cells that the user's own function or program trains: each in a fresh process of its own."""
