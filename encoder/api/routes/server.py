"""The server itself."""

from __future__ import annotations

from encoder.api import answers, docs, health, query
from encoder.api.operations import Operation
from encoder.api.scrape import Scrape
from encoder.model.key import Scope

SERVER = (
    Operation(
        method="GET",
        path="/livez",
        operation_id="live",
        summary="The process answers, and its workers beat",
        handler=health.live,
        scope=None,
        answers={200: (answers.HealthAnswer,), 503: (answers.HealthAnswer,)},
    ),
    *(
        Operation(
            method="GET",
            path=path,
            operation_id=operation_id,
            summary="Requests would succeed; 503 with the reasons otherwise",
            handler=health.ready,
            scope=None,
            query=(query.choice("scope", "`local`: 503 only for what is wrong with this process alone", ("local",)),),
            answers={200: (answers.HealthAnswer,), 503: (answers.HealthAnswer,)},
        )
        for path, operation_id in (("/health", "health"), ("/readyz", "ready"))
    ),
    Operation(
        method="GET",
        path="/docs",
        operation_id="docsPage",
        summary="This document as a page on which calls can be tried",
        handler=docs.ui_page,
        scope=None,
        answers={200: ("text/html",)},
    ),
    Operation(
        method="GET",
        path="/docs/ui/{name}",
        operation_id="docsFile",
        summary="A file of that page",
        handler=docs.ui_file,
        scope=None,
        answers={200: ("text/javascript", "text/css", "image/png")},
        problems=(404,),
    ),
    Operation(
        method="GET",
        path="/docs/errors",
        operation_id="errorsPage",
        summary="Every code, what it means and what to do",
        handler=docs.errors_page,
        scope=None,
        answers={200: ("text/html",)},
    ),
)


def metrics(scrape: Scrape) -> Operation:
    return Operation(
        method="GET",
        path="/metrics",
        operation_id="metrics",
        summary="Numbers for Prometheus",
        handler=health.metrics(scrape),
        scope=Scope.ADMIN,
        answers={200: ("text/plain",)},
    )


def document(listed: tuple[Operation, ...]) -> Operation:
    return Operation(
        method="GET",
        path="/openapi.json",
        operation_id="openapi",
        summary="This document, without itself",
        handler=docs.served(listed),
        scope=None,
        answers={200: ("application/json",)},
    )
