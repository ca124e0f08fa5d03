"""What would be done, told before anything is: the answer of a dry run."""

from __future__ import annotations

from encoder.model.base import Record
from encoder.model.media import Media
from encoder.model.plan import Estimate, Plan


class Preview(Record):
    """A source's facts and what would be made of it.

    `commands` and `estimates` go with `plan.outputs`: for each output the ffmpeg runs that would make it, and its cost.
    """

    media: Media
    plan: Plan
    commands: tuple[tuple[tuple[str, ...], ...], ...]
    estimates: tuple[Estimate, ...]
