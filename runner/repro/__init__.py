"""Runs a user's script in chosen cells, compares outputs, and exports results."""
