"""Who works: what each worker runs now and how its machine is; and who was lost, with what."""

from __future__ import annotations

from aiohttp import web

from encoder.api import fleet, problems, tell_chunks
from encoder.api.answers_fleet import RunningAnswer, TakenAnswer, WorkerAnswer, WorkersAnswer
from encoder.dashboard.page import Page, Visit
from encoder.model.key import Scope
from encoder.store.line import NOTIFY


async def listed(visit: Visit) -> web.Response:
    """GET /ui/fleet."""
    return await _fleet(visit, "fleet.html")


async def part(visit: Visit) -> web.Response:
    """GET /ui/parts/fleet: what of it changes."""
    return await _fleet(visit, "fleet_part.html")


async def shown(visit: Visit) -> web.Response:
    """GET /ui/fleet/{worker}."""
    wanted = visit.request.match_info["worker"]
    found = await fleet.workers_of(visit.call, lost=True)
    worker = next((worker for worker in found.workers if str(worker.id) == wanted), None)
    if worker is None:
        raise problems.not_found("There is no such worker: it has stopped, or was lost more than a day ago.")
    return visit.show("worker.html", worker=worker, encoding=encoding, taken=taken, part_of=tell_chunks.part_of)


async def _fleet(visit: Visit, template: str) -> web.Response:
    found = await fleet.workers_of(visit.call, lost=True)
    return visit.show(
        template,
        workers=sorted(found.workers, key=lambda worker: (worker.status == "lost", worker.host, worker.pid)),
        tally=_tally(found),
        encoding=encoding,
        part_of=tell_chunks.part_of,
        taken=taken,
    )


def _tally(found: WorkersAnswer) -> dict[str, int]:
    alive = [worker for worker in found.workers if worker.status != "lost"]
    return {
        "live": len(alive),
        "lost": len(found.workers) - len(alive),
        "busy": sum(len(encoding(worker)) for worker in alive),
        "slots": sum(slots for worker in alive for queue, slots in worker.slots.items() if queue != "io"),
    }


def encoding(worker: WorkerAnswer) -> list[RunningAnswer]:
    """What it runs, but for the telling of receivers, which takes no slot of an encode."""
    return [task for task in worker.running if task.kind != NOTIFY]


def taken(worker: WorkerAnswer) -> list[TakenAnswer]:
    """With what it was lost: each job once."""
    jobs = {task.job_id: task for task in worker.taken if task.kind != NOTIFY}
    return list(jobs.values())


PAGES = (
    Page(method="GET", path="/ui/fleet", handler=listed, scope=Scope.ADMIN),
    Page(method="GET", path="/ui/parts/fleet", handler=part, scope=Scope.ADMIN, fragment=True),
    Page(method="GET", path="/ui/fleet/{worker}", handler=shown, scope=Scope.ADMIN),
)
