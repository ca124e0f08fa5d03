"""Files outside a job's own folder: under the operator's roots and in the platform's storage, never by a link."""
