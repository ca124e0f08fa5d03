from encoder.suites.source import CHANGED, DATA, SourceBench, SourceSuite

__all__ = ["CHANGED", "DATA", "SourceBench", "SourceSuite"]
