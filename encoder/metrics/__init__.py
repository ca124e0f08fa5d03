"""Numbers for Prometheus, of this process alone: as with the log, whoever does something counts it, wherever it stands.

Labels are words of ours: never an id, a name, an address or a message.
"""
