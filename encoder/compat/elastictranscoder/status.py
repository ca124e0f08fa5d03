"""States in Elastic Transcoder's words."""

from __future__ import annotations

from collections.abc import Collection

from encoder.model.state import JobState, OutputState

STATUS = {
    JobState.QUEUED: "Submitted",
    JobState.PROCESSING: "Progressing",
    JobState.COMPLETED: "Complete",
    JobState.FAILED: "Error",
    JobState.CANCELLED: "Canceled",
}


def status_of(states: Collection[OutputState]) -> str:
    """Of one of their outputs, which several of ours may make up: the worst of them speaks for all."""
    if OutputState.FAILED in states:
        return "Error"
    if OutputState.CANCELLED in states:
        return "Canceled"
    if states and all(state is OutputState.UPLOADED for state in states):
        return "Complete"
    return "Submitted" if all(state is OutputState.QUEUED for state in states) else "Progressing"
