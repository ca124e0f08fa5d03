"""Encoder: a self-hosted video encoding platform."""

__version__ = "0.1.0"
