"""`boto.py get|put BUCKET KEY PATH`: seconds of one transfer by boto3, with its defaults."""

from __future__ import annotations

import sys
import time

import boto3

verb, bucket, key, path = sys.argv[1:]
client = boto3.client("s3")
begun = time.perf_counter()
if verb == "put":
    client.upload_file(path, bucket, key)
else:
    client.download_file(bucket, key, path)
print(time.perf_counter() - begun)
