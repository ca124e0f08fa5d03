"""The forms in which receivers are told of events. One is a pure function from event and job to the text that is sent.

A new form is a module here and a row of the table below. A receiver names its form: an endpoint as its `format`, and a
job for its own `notificationUrl` as `JobSpec.notification`, which no public member sets: who translates another
service's jobs does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from encoder.model.base import Json
from encoder.model.event import TELLABLE, TOLD, Event, EventType
from encoder.model.formats import coconut, elastictranscoder, mediaconvert, standard
from encoder.model.telling import ToldJob

STANDARD = "standard"

Body = Callable[[Event, ToldJob, Mapping[str, Json]], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """What a receiver may say of its form: a text of which `pattern` is the whole."""

    about: str
    pattern: str
    default: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """`body`: event, job as it stands and settings to text, less than `telling.MOST_BYTES`.

    It is asked for the events in `tells`, and for `endpoint.test`: an example, of a job that completed.

    `unasked`: told where a receiver names no types. `settings`: what an endpoint may set; the defaults stand in for
    what it does not.
    """

    name: str
    about: str
    body: Body
    tells: frozenset[EventType]
    unasked: frozenset[EventType]
    settings: Mapping[str, Setting] = field(default_factory=dict)

    def text(self, event: Event, job: ToldJob, settings: Mapping[str, Json]) -> str:
        """What is sent. `settings` may leave out whatever has a default."""
        defaults: dict[str, Json] = {name: setting.default for name, setting in self.settings.items()}
        return self.body(event, job, {**defaults, **settings})


FORMATS: Mapping[str, Format] = {
    known.name: known
    for known in (
        Format(name=STANDARD, about="our own", body=standard.body, tells=TELLABLE, unasked=TOLD),
        Format(
            name="elastictranscoder",
            about="as Amazon Elastic Transcoder tells, without SNS around it",
            body=elastictranscoder.body,
            tells=frozenset(elastictranscoder.STATES),
            unasked=frozenset(elastictranscoder.STATES),
        ),
        Format(
            name="coconut",
            about="as Coconut tells",
            body=coconut.body,
            tells=frozenset(coconut.EVENTS),
            unasked=coconut.UNASKED,
        ),
        Format(
            name="mediaconvert",
            about="as AWS Elemental MediaConvert tells EventBridge",
            body=mediaconvert.body,
            tells=frozenset(mediaconvert.STATUS),
            unasked=frozenset(mediaconvert.STATUS) - {EventType.JOB_SUBMITTED, EventType.JOB_PROGRESS},
            settings={
                "account": Setting(about="the account's number", pattern="[0-9]{12}", default="000000000000"),
                "region": Setting(about="the region", pattern="[a-z0-9-]{1,32}", default="us-east-1"),
                "queue": Setting(about="the queue's name", pattern="[A-Za-z0-9_-]{1,64}", default="Default"),
            },
        ),
    )
}


def known(name: str) -> Format:
    """The form of this name. One that only a newer release knows is told as our own: better so than not at all."""
    return FORMATS.get(name, FORMATS[STANDARD])
