from encoder.suites.destination import DATA, OTHER, DestinationBench, DestinationSuite, nothing

__all__ = ["DATA", "OTHER", "DestinationBench", "DestinationSuite", "nothing"]
