"""Logs: an event's name and its fields, one line each, to standard error.

People get a console, machines get JSON. What is bound with `bound(...)` (job, task, worker) stands on every line of
the asyncio task that bound it. No secret and no signed link is ever handed to a logger, so nothing is filtered here.
"""

from __future__ import annotations

import logging
import sys
from enum import StrEnum
from typing import cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

bound = structlog.contextvars.bound_contextvars


class LogFormat(StrEnum):
    AUTO = "auto"  # console on a terminal, JSON elsewhere
    CONSOLE = "console"
    JSON = "json"


class _Printer(structlog.PrintLogger):
    """Knows the name that its module gave it, so that a line can tell where it comes from."""

    def __init__(self, name: str = "encoder") -> None:
        super().__init__(sys.stderr)
        self.name = name


def get_logger(name: str) -> FilteringBoundLogger:
    """The logger of the module `name`; made at import, it obeys a later `configure`."""
    return cast("FilteringBoundLogger", structlog.get_logger(name))


def configure(log_format: LogFormat = LogFormat.AUTO, level: str = "info") -> None:
    """Sets the process's logging once, at its start. `level`: debug, info, warning or error.

    What foreign libraries log (aiohttp, asyncio) passes through the same renderer, from warning upward.
    """
    shared, renderers = _shared(), _renderers(log_format)
    number = logging.getLevelNamesMapping()[level.upper()]
    structlog.configure(
        processors=[*shared, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=_Printer,
        cache_logger_on_first_use=False,  # modules make theirs before the process knows its settings
    )
    _adopt_foreign(shared, renderers, max(number, logging.WARNING))


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _renderers(log_format: LogFormat) -> list[Processor]:
    terminal = sys.stderr.isatty()
    if log_format is LogFormat.CONSOLE or (log_format is LogFormat.AUTO and terminal):
        return [structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]


def _adopt_foreign(shared: list[Processor], renderers: list[Processor], level: int) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
        )
    )
    logging.basicConfig(handlers=[handler], level=level, force=True)
