"""What a process does from start to end. The command line calls these and nothing else of the platform."""
