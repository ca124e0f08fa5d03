"""The one table of what the API can do: it mounts the routes, and the document is written from it."""

from __future__ import annotations

from encoder.api.operations import Operation
from encoder.api.routes.compat import COMPAT
from encoder.api.routes.feed import FEED
from encoder.api.routes.ingest import INGEST
from encoder.api.routes.jobs import JOBS, ONE_JOB
from encoder.api.routes.keys import KEYS
from encoder.api.routes.platform import PLATFORM
from encoder.api.routes.presets import PRESETS
from encoder.api.routes.server import SERVER, document, metrics
from encoder.api.routes.storage import STORAGE
from encoder.api.routes.uploads import UPLOADS
from encoder.api.routes.webhooks import WEBHOOKS
from encoder.api.scrape import Scrape


def operations(scrape: Scrape, *, folder: bool = True) -> tuple[Operation, ...]:
    """Every operation. `folder`: whether the platform's storage is one."""
    ours = (*JOBS, *ONE_JOB, *UPLOADS, *FEED, *PRESETS, *PLATFORM, *WEBHOOKS, *INGEST, *KEYS)
    every = (*ours, *COMPAT, *STORAGE, *SERVER, metrics(scrape))
    listed = tuple(operation for operation in every if folder or not operation.folder)
    return (*listed, document(listed))
