"""What there is to see of the dashboard: every page of its table, with a job of each kind that it shows otherwise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus

from encoder.dashboard.page import Page
from encoder.dashboard.routes import PAGES
from tests.lab.showcase import Showcase


@dataclass(frozen=True, kw_only=True)
class Scene:
    """`address`: names of the showcase's jobs stand in braces. `locked`: on the API that asks for keys, before a login.

    `status`: that of its answer.
    """

    name: str
    address: str
    locked: bool = False
    status: int = 200

    @property
    def borne(self) -> tuple[str, ...]:
        """What Chromium's console says of such an answer."""
        return () if self.status == HTTPStatus.OK else (f"status of {self.status}",)

    def home(self, shown: Showcase) -> str:
        return shown.locked if self.locked else shown.url

    def path(self, shown: Showcase) -> str:
        return self.address.format_map({**shown.jobs, "worker": shown.worker})


# by the path of the page's row; one whose path says all is a scene by itself
_SCENES: Mapping[str, tuple[Scene, ...]] = {
    "/": (Scene(name="jobs", address="/"),),
    "/ui/jobs": (
        Scene(name="jobs-failed", address="/ui/jobs?status=failed"),
        Scene(name="jobs-none", address="/ui/jobs?q=no-such-film"),
    ),
    "/ui/jobs/{id}": (
        Scene(name="job", address="/ui/jobs/{completed}"),
        Scene(name="job-package", address="/ui/jobs/{package}"),
        Scene(name="job-storyboard", address="/ui/jobs/{storyboard}"),
        Scene(name="job-failed", address="/ui/jobs/{failed}"),
        Scene(name="job-half", address="/ui/jobs/{half}"),
        Scene(name="job-processing", address="/ui/jobs/{processing}"),
        Scene(name="job-queued", address="/ui/jobs/{queued}"),
        Scene(name="job-cancelled", address="/ui/jobs/{cancelled}"),
        Scene(name="job-hostile", address="/ui/jobs/{hostile}"),
        Scene(name="job-long", address="/ui/jobs/{long}"),
        Scene(name="job-absent", address="/ui/jobs/999999999", status=404),
    ),
    "/ui/jobs/{id}/outputs/{outputId}": (
        Scene(name="output", address="/ui/jobs/{completed}/outputs/0"),
        Scene(name="output-failed", address="/ui/jobs/{half}/outputs/1"),
    ),
    "/ui/jobs/{id}/outputs/{outputId}/log": (
        Scene(name="output-log", address="/ui/jobs/{completed}/outputs/0/log"),
        Scene(name="output-log-none", address="/ui/jobs/{queued}/outputs/0/log"),
    ),
    "/ui/jobs/{id}/outputs/{outputId}/proof": (
        Scene(name="output-proof", address="/ui/jobs/{package}/outputs/0/proof"),
        Scene(name="output-proof-none", address="/ui/jobs/{failed}/outputs/0/proof"),
    ),
    "/ui/fleet/{worker}": (
        Scene(name="worker", address="/ui/fleet/{worker}"),
        Scene(name="worker-absent", address="/ui/fleet/nobody", status=404),
    ),
    "/ui/webhooks/{id}": (Scene(name="webhook", address="/ui/webhooks/1"),),
    "/ui/settings/presets/{name}": (Scene(name="settings-preset", address="/ui/settings/presets/h264"),),
    "/ui/jobs/{id}/outputs/{outputId}/watch": (
        Scene(name="watch", address="/ui/jobs/{completed}/outputs/0/watch"),
        Scene(name="watch-package", address="/ui/jobs/{package}/outputs/0/watch"),
        Scene(name="watch-storyboard", address="/ui/jobs/{storyboard}/outputs/0/watch"),
        Scene(name="watch-failed", address="/ui/jobs/{failed}/outputs/0/watch"),
        Scene(name="watch-hostile", address="/ui/jobs/{hostile}/outputs/0/watch"),
    ),
    "/ui/settings/endpoints/{name}": (Scene(name="settings-endpoint", address="/ui/settings/endpoints/orders"),),
    "/ui/settings/ingest/{name}": (Scene(name="settings-rule", address="/ui/settings/ingest/videos"),),
    "/ui/jobs/new": (
        Scene(name="new", address="/ui/jobs/new"),
        Scene(name="new-clone", address="/ui/jobs/new?from={long}"),
    ),
    "/ui/login": (Scene(name="login", address="/ui/login", locked=True),),
    "/ui/login/kept": (Scene(name="login-lost", address="/ui/login/kept", locked=True, status=403),),
}
# paths of what answers no page to be looked at, and what it answers
_UNSEEN: Mapping[str, str] = {
    "/ui/jobs/bulk": "needs a cursor: how far an action on many jobs is",
    "/ui/settings": "the first of its tabs",
    "/ui/jobs/{id}/json": "the job as the API tells it",
    "/ui/jobs/{id}/outputs/{outputId}/log/raw": "text",
}


def scenes(pages: Iterable[Page] = PAGES) -> Iterator[Scene]:
    """All that a visitor may open, in the order of the table."""
    for page in pages:
        if page.method != "GET" or page.fragment or page.path in _UNSEEN:
            continue
        name = "-".join(page.path.strip("/").removeprefix("ui/").split("/"))
        yield from _SCENES.get(page.path, (Scene(name=name, address=page.path),))


def forgotten(pages: Iterable[Page] = PAGES) -> set[str]:
    """Paths of pages that need a row of `_SCENES` or `_UNSEEN` and have none, and of rows whose page is gone."""
    paths = {page.path for page in pages if page.method == "GET" and not page.fragment}
    rows = {*_SCENES, *_UNSEEN}
    return {path for path in paths - rows if "{" in path} | (rows - paths)
