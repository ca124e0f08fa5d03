"""Amazon Elastic Transcoder, API 2012-09-25: the service ended in November 2025, its callers did not."""
