"""Who is told of a job's events."""

from __future__ import annotations

from encoder.model.base import Json, Record
from encoder.model.event import EventType
from encoder.model.formats import STANDARD, known
from encoder.model.job import JobSpec

OF_THE_JOB = ""  # the name of the receiver that a job brought along


class Receiver(Record):
    """One that is told. `name`: of the tenant's endpoint, or `OF_THE_JOB`. `url`: to be shown, without its secrets.

    `events`: the types that it asked for; none: what its form tells unasked. `settings`: of its form.
    """

    url: str
    name: str = OF_THE_JOB
    format: str = STANDARD
    events: tuple[str, ...] = ()
    settings: dict[str, Json] = {}

    def wants(self, event: EventType) -> bool:
        """Whether it is told of such an event. Its form may know fewer than it asked for."""
        form = known(self.format)
        return event in form.tells and event in (self.events or form.unasked)


def of_job(spec: JobSpec) -> tuple[Receiver, ...]:
    """The receiver that a job names itself, if it does."""
    if spec.notification_url is None:
        return ()
    if spec.notification is None:
        return (Receiver(url=spec.notification_url),)
    how = spec.notification
    return (Receiver(url=spec.notification_url, format=how.format, events=how.events, settings=how.settings),)
