"""Locks: which packages an environment has, and how they are resolved."""
