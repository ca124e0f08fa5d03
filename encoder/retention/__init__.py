"""Clears away what has had its time: rows, what they lead to, and what nothing leads to any more."""
