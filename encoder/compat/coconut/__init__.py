"""Coconut, API v2."""
