"""How a run of ffmpeg or of the prober ended, and what that means for the job."""

from __future__ import annotations

import signal
from dataclasses import dataclass
from enum import StrEnum

from encoder import errors
from encoder.ffmpeg.box import ENTRY_FAILED
from encoder.ffmpeg.progress import Progress


class Reason(StrEnum):
    OK = "ok"
    ERROR = "error"
    STALLED = "stalled"
    WALL = "wall"
    MEMORY = "memory"
    SIGNAL = "signal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exit:
    """What is left of a process. Exit code 0 and a playable file prove nothing yet: see docs/why/proof.md."""

    code: int  # negative: the signal that ended it
    reason: Reason
    log: str  # the end of stderr, at most 64 KiB
    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int | None = None  # None: gone before it was measured
    progress: Progress | None = None
    ended: bool = False  # ffmpeg said `progress=end`


@dataclass(frozen=True, slots=True)
class _Meaning:
    kind: type[errors.Failure]
    code: str
    message: str

    def failure(self, detail: str = "") -> errors.Failure:
        return self.kind(self.code, f"{self.message} ({detail})" if detail else self.message)


_STALLED = _Meaning(errors.Crash, "encoder_stalled", "The encoder made no progress and was stopped.")
_TOO_LONG = _Meaning(errors.Permanent, "deadline_exceeded", "The work took longer than it may.")
_KILLED = _Meaning(errors.Crash, "encoder_oom", "The encoder was killed, most likely for its memory.")
_ENDED = _Meaning(errors.Crash, "encoder_oom", "The encoder was ended before the worker ran out of memory.")
_CRASHED = _Meaning(errors.Crash, "encoder_crashed", "The encoder crashed.")
_STOPPED = _Meaning(errors.Crash, "encoder_crashed", "The encoder was stopped from outside.")
_NOT_BOXED = _Meaning(errors.Crash, "encoder_crashed", "The encoder could not be started.")
_FAILED = _Meaning(errors.Crash, "encoder_crashed", "The encoder failed.")
_NO_SPACE = _Meaning(errors.Resource, "disk_full", "The disk of the worker is full.")
_NO_MEMORY = _Meaning(errors.Resource, "out_of_memory", "The worker is short of memory.")
_TOO_LARGE = _Meaning(errors.Permanent, "output_too_large", "The result grew beyond the limit on file size.")
_DAMAGED = _Meaning(errors.Permanent, "source_damaged", "More of the source is damaged than may be.")
_UNREADABLE = _Meaning(errors.Permanent, "unsupported_format", "The source is in no format that is supported.")
_MISSING = _Meaning(errors.Permanent, "encoder_not_available", "This build of ffmpeg lacks what the output needs.")
_REFUSED = _Meaning(errors.Permanent, "encoder_refused", "The encoder refuses these settings.")

_BY_SIGNAL = {
    signal.SIGKILL: _KILLED,
    signal.SIGXFSZ: _TOO_LARGE,
    signal.SIGXCPU: _TOO_LONG,
    signal.SIGTERM: _STOPPED,
    signal.SIGINT: _STOPPED,
    signal.SIGHUP: _STOPPED,
}

# ffmpeg ends with AVERROR & 0xff since 6.1, with 1 for nearly all of them before; these say the same in any version
_BY_CODE = {
    ENTRY_FAILED: _NOT_BOXED,
    69: _DAMAGED,  # decode error rate above -max_error_rate
    228: _NO_SPACE,  # ENOSPC
    229: _TOO_LARGE,  # EFBIG
    244: _NO_MEMORY,  # ENOMEM
    255: _STOPPED,  # SIGTERM, SIGINT; also EPERM, but nothing of ours asks for a permission
}

# what the log says, the most telling first
_BY_TEXT = (
    ("No space left on device", _NO_SPACE),
    ("File too large", _TOO_LARGE),
    ("Cannot allocate memory", _NO_MEMORY),
    ("exceeds maximum", _DAMAGED),  # "Decode error rate 0.5 exceeds maximum 0.01"
    ("Error while opening encoder", _REFUSED),
    ("Error opening input", _UNREADABLE),
    ("not on whitelist", _UNREADABLE),
    (": Invalid data found when processing input", _UNREADABLE),
    ("Unknown encoder", _MISSING),
    ("No such filter", _MISSING),
)
_LONGEST_DETAIL = 200

# closing words that follow any error: the sentence before them says more
_EPILOGUE = (
    "Conversion failed", "frame=", "size=", "Exiting with", "Terminating thread", "Task finished with error",
    "Nothing was written into output file", "Statistics:",
)  # fmt: skip


def classify(ended: Exit) -> errors.Failure:
    """What a run that did not end well means. Reads code *and* log."""
    if ended.reason is Reason.STALLED:
        return _STALLED.failure()
    if ended.reason is Reason.WALL:
        return _TOO_LONG.failure()
    if ended.reason is Reason.MEMORY:
        return _ENDED.failure()
    number = _signal(ended.code)
    if number:
        return _BY_SIGNAL.get(signal.Signals(number), _CRASHED).failure(signal.Signals(number).name)
    return _spoken(ended).failure(_last_line(ended.log))


def _signal(code: int) -> int | None:
    """The signal that `code` stands for; a program in between reports it as 128 + n."""
    number = -code if code < 0 else code - 128
    # 128 + 31 is the last of these: ffmpeg's own codes begin at 183
    return number if 0 < number <= signal.SIGSYS else None


def _spoken(ended: Exit) -> _Meaning:
    if ended.code in _BY_CODE:
        return _BY_CODE[ended.code]
    return next((meaning for text, meaning in _BY_TEXT if text in ended.log), _FAILED)


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    telling = [line for line in lines if not any(words in line for words in _EPILOGUE)]
    return (telling or lines or [""])[-1][:_LONGEST_DETAIL]
