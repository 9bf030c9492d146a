"""Finds the release that changed a result."""
