"""What operations of several kinds have in common."""

from __future__ import annotations

from encoder.api import query

JSON_PROBLEMS = (408, 413, 415, 422, 503)
LIMIT = query.whole("limit", "how many at most", low=1, high=200, default=50)
OF_AN_UPLOAD = (404, 409)  # that is named as a source
