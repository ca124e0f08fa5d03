"""One job per container: what AWS Batch or a Kubernetes Job runs. A bucket, perhaps a table, no database of ours."""
