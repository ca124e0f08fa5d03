"""Tests of an image that is there: `make image` builds one, names it and runs them."""

from __future__ import annotations

from tests.lab import container

collect_ignore_glob = [] if container.IMAGE else ["test_*.py"]
