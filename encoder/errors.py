"""Everything that can go wrong, as an outline, and the catalogue of its codes.

EncoderError
  Rejected             a request is refused; its faults name places in what the caller sent
    TooMany              only for now: ask again after `retry_after_s`
  Failure              a job or an output goes wrong; the class says what is to be done
    Permanent            fail at once: trying again cannot help
    Transient            try again later, not before `retry_after_s`
      Throttled            the other side asks to be left alone for a while
    Resource             this machine lacks something: give the task back
    Crash                ffmpeg or its memory gave out: as transient
  LeaseLost            the task belongs to somebody else now: stop, write nothing
  StoreUnavailable     the database cannot be reached
    TooLong              what was to be read takes longer than it may
    StoreBusy            all our connections to it have work
    SchemaUnfit          its tables are older than this program, or made for newer ones alone
  Unfit                this machine or its settings cannot do what is asked of them: refuse to start
  Defect               a bug of ours

`CATALOGUE` has one row per code: the answers of the API, `error` of outputs, docs/reference/errors.md and the hints of
the command line are read from it. A code never changes its meaning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, TypeVar

from encoder.blame import MEANINGS, Blame

T = TypeVar("T")


class FailureClass(StrEnum):
    """What is to be done about a failure (table of docs/why/flow.md, "When something fails")."""

    PERMANENT = "permanent"
    TRANSIENT = "transient"
    RESOURCE = "resource"
    CRASH = "crash"


class EncoderError(Exception):
    """The root of every error that we raise ourselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with a request. `path`: JSON Pointer into the body, "" for the whole."""

    path: str
    code: str
    message: str


class Rejected(EncoderError):
    """A request that is refused. The HTTP status is that of the first fault's code."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.path or '(request)'}: {fault.message}" for fault in faults))
        self.faults: Sequence[Fault] = faults

    @classmethod
    def because(cls, code: str, message: str, *, path: str = "") -> Rejected:
        return cls(Fault(path=path, code=code, message=message))


class TooMany(Rejected):
    """A caller asks for more than it may have by now."""

    def __init__(self, code: str, message: str, *, retry_after_s: float) -> None:
        super().__init__(Fault(path="", code=code, message=message))
        self.retry_after_s = retry_after_s


class Failure(EncoderError):
    """A job or an output fails. `code` is in the catalogue, `message` is a sentence for the caller, without secrets.

    `check`: of a result that failed its proof, the check that tells most, and its member: `picture.rotation`.
    """

    kind: ClassVar[FailureClass]
    retryable: ClassVar[bool]

    def __init__(
        self, code: str, message: str, *, retry_after_s: float | None = None, check: str | None = None
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.retry_after_s = retry_after_s
        self.check = check


class Permanent(Failure):
    kind = FailureClass.PERMANENT
    retryable = False


def in_order(found: T | Fault) -> T:
    """`found`, where it is no fault. What was in order when a job came in may be so no longer: rules change.

    Raises:
        errors.Permanent: the fault's code and message.
    """
    if isinstance(found, Fault):
        raise Permanent(found.code, found.message)
    return found


class Transient(Failure):
    kind = FailureClass.TRANSIENT
    retryable = True


class Throttled(Transient):
    """The other side is there, and has too much to do."""


class Resource(Failure):
    kind = FailureClass.RESOURCE
    retryable = True


class Crash(Failure):
    kind = FailureClass.CRASH
    retryable = True


# what a job or an output is to blame for, or a place of its own: anything but what this machine lacks
OF_THE_JOB = (Permanent, Transient, Crash)


class LeaseLost(EncoderError):
    """A write matched no row under our `(task_id, epoch)`: kill the children, write nothing more."""


class StoreUnavailable(EncoderError):
    """The database refuses, is away, or took too long. What was asked may or may not have happened."""


class TooLong(StoreUnavailable):
    """A search was stopped at its own limit: less must be asked for."""


class StoreBusy(StoreUnavailable):
    """No connection could be had in time: nothing was asked."""


class SchemaUnfit(StoreUnavailable):
    """Its tables are not for this program, or not yet: somebody must run `encoder migrate`, or a newer program."""


class Unfit(EncoderError):
    """A role cannot run on this machine or with these settings: refuse to start, and say what to change."""


class Defect(EncoderError):
    """A state that our own code rules out."""


class Where(StrEnum):
    """Who is told a code."""

    REQUEST = "request"
    JOB = "job"
    DELIVERY = "delivery"
    WARNING = "warning"
    CONTAINER = "container"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One row of the catalogue. `status`: as a request's code; `kind`: class as a job's; some are both.

    `blame`, `about`: of a job, an output or a delivery, where the cause lies and what happened, in a sentence.
    """

    code: str
    where: Where
    title: str
    to_do: str
    status: int | None = None
    kind: FailureClass | None = None

    @property
    def blame(self) -> Blame | None:
        return MEANINGS[self.code].blame if self.code in MEANINGS else None

    @property
    def about(self) -> str | None:
        return MEANINGS[self.code].about if self.code in MEANINGS else None


# codes that a request may meet at once and a job only later: a redirect, a name that resolves elsewhere, a bug
_ALSO_OF_A_JOB = {
    "address_not_allowed": FailureClass.PERMANENT,
    "credentials_required": FailureClass.PERMANENT,
    "path_not_allowed": FailureClass.PERMANENT,
    "port_not_allowed": FailureClass.PERMANENT,
    "invalid_path": FailureClass.PERMANENT,
    "invalid_range": FailureClass.PERMANENT,
    "invalid_url": FailureClass.PERMANENT,
    "unsupported_kind": FailureClass.PERMANENT,
    "secrets_erased": FailureClass.PERMANENT,
    "internal_error": FailureClass.CRASH,
}


def _request(status: int, code: str, title: str, to_do: str) -> Entry:
    kind = _ALSO_OF_A_JOB.get(code)
    return Entry(code=code, where=Where.REQUEST, title=title, to_do=to_do, status=status, kind=kind)


def _job(kind: FailureClass, code: str, title: str, to_do: str) -> Entry:
    return Entry(code=code, where=Where.JOB, title=title, to_do=to_do, kind=kind)


def _warning(code: str, title: str, to_do: str) -> Entry:
    return Entry(code=code, where=Where.WARNING, title=title, to_do=to_do)


def _container(code: str, title: str, to_do: str) -> Entry:
    return Entry(code=code, where=Where.CONTAINER, title=title, to_do=to_do)


_PERMANENT, _TRANSIENT = FailureClass.PERMANENT, FailureClass.TRANSIENT
_RESOURCE, _CRASH = FailureClass.RESOURCE, FailureClass.CRASH

_ENTRIES = (
    _request(400, "invalid_json", "Body is not JSON", "Send one JSON object, encoded in UTF-8."),
    _request(400, "unexpected_body", "Body is not taken", "Send no body; put what is to be said into the query."),
    _request(400, "invalid_query", "Query is wrong", "Correct the query parameter that is named."),
    _request(400, "invalid_header", "Header is wrong", "Correct the header that is named."),
    _request(
        400,
        "too_much_to_search",
        "Too much to search",
        "Narrow the time (`createdAfter`, `createdBefore`) or the states, or ask by number or uuid.",
    ),
    _request(400, "invalid_cursor", "Cursor is wrong", "Start again without `cursor`; keep the filters of a page."),
    _request(
        401,
        "unauthorized",
        "A key is needed",
        "Send a key that is neither revoked nor expired: `Authorization: Bearer …`, or `ENCODER_API_KEY` for the CLI.",
    ),
    _request(
        403, "insufficient_scope", "Key may not do this", "Use a key with the scope that is named, or ask for one."
    ),
    _request(403, "host_not_allowed", "Host is not allowed", "Call the server by a loopback name or address."),
    _request(403, "origin_not_allowed", "Origin is not allowed", "Call the server from a page of its own."),
    _request(403, "link_expired", "Link has expired", "Ask for the job again: its answer carries a fresh link."),
    _request(404, "not_found", "Not found", "Check the id or name."),
    _request(405, "method_not_allowed", "Method is not allowed", "Use one of the methods in `Allow`."),
    _request(408, "request_timeout", "Request took too long", "Send the request again, faster or smaller."),
    _request(409, "job_ended", "Job has ended", "Read the job; a new run starts with `retry`."),
    _request(409, "nothing_to_retry", "Nothing to retry", "Wait for the job to end, or post a new job."),
    _request(409, "too_many_rules", "Too many ingest rules", "Remove a rule that is not needed any more."),
    _request(409, "secrets_erased", "Secrets are erased", "Post the job again with its credentials."),
    _request(400, "upload_incomplete", "Upload is incomplete", "Send the whole file, as many bytes as announced."),
    _request(409, "upload_exists", "Upload is here already", "Use it as a source, or ask for another upload."),
    _request(
        409, "upload_not_ready", "Upload has not arrived", "Send the file first; its status tells when it is here."
    ),
    _request(409, "too_many_endpoints", "Enough endpoints", "Remove one that is not needed any more."),
    _request(
        404, "upload_not_there", "File is not there", "Ask for the upload's status, and again once it has come so far."
    ),
    _request(409, "offset_conflict", "Offset is another one", "Ask with HEAD how much is here, and go on from there."),
    _request(423, "upload_locked", "Upload is being written", "Wait for the other request to end; try again soon."),
    _request(412, "tus_version", "Version is not spoken", "Send `Tus-Resumable: 1.0.0`."),
    _request(460, "checksum_mismatch", "Checksum is another one", "Send the piece again; nothing of it was kept."),
    _request(410, "upload_expired", "Upload is over", "Ask for a new upload; its status tells why this one ended."),
    _request(410, "job_expired", "Job is being removed", "Post it again: its time is over, and nothing of it is kept."),
    _request(412, "precondition_failed", "File is another one", "Ask without `If-Match` and `If-Unmodified-Since`."),
    _request(413, "upload_too_large", "Upload is too large", "Announce the file's true size with `POST /upload`."),
    _request(507, "storage_full", "Storage is full", "Tell the operator: `ENCODER_STORAGE` has no room for the file."),
    _request(413, "body_too_large", "Body is too large", "Send at most 16 MiB; give large sources by address."),
    _request(414, "uri_too_long", "Address is too long", "Shorten the query."),
    _request(415, "unsupported_media_type", "Media type is wrong", "Send `Content-Type: application/json`."),
    _request(415, "content_encoding_not_allowed", "Encoding is not taken", "Send the body uncompressed."),
    _request(416, "range_not_satisfiable", "Range is not there", "Ask for bytes inside the file."),
    _request(431, "headers_too_large", "Headers are too large", "Send fewer or shorter headers."),
    _request(422, "unknown_field", "Unknown member", "Remove the member, or correct its name."),
    _request(
        422,
        "unsupported_member",
        "Not supported here",
        "Leave the member out; the message and docs/reference/compat.md say why.",
    ),
    _request(422, "duplicate_key", "Member stands twice", "Send each member once."),
    _request(422, "missing_field", "Member is missing", "Add the member that is named."),
    _request(422, "invalid_type", "Wrong type", "Send the type that is named."),
    _request(422, "invalid_value", "Wrong value", "Send one of the values that are named."),
    _request(422, "out_of_range", "Out of range", "Send a value inside the range that is named."),
    _request(422, "invalid_text", "Text is not allowed", "Remove control characters, NUL and lone surrogates."),
    _request(422, "invalid_base64", "Not base64", "Send standard base64 with padding and without spaces."),
    _request(422, "invalid_url", "Address is wrong", "Send an absolute URL of a scheme that is named."),
    _request(
        422, "address_not_allowed", "Address is not allowed", "Use a public address, or have the operator open it."
    ),
    _request(422, "port_not_allowed", "Port is not allowed", "Use the scheme's own port, or one from 1024 up."),
    _request(422, "invalid_path", "Path is wrong", "Send a relative path without `..`, `//` or control characters."),
    _request(422, "path_not_allowed", "Path is not allowed", "Use a folder that `ENCODER_FILE_ROOTS` names."),
    _request(422, "duplicate_destination", "Two outputs, one place", "Give each output a destination of its own."),
    _request(422, "source_equals_destination", "Source would be overwritten", "Choose another destination."),
    _request(
        422,
        "credentials_required",
        "Credentials are missing",
        "Send `access_key_id` and `access_key_secret`; the platform's own serve only what its operator named.",
    ),
    _request(422, "invalid_range", "Range is wrong", "Give `clip` a start before its end and inside the source."),
    _request(422, "unknown_preset", "Unknown preset", "Choose one of those that `GET /presets` lists."),
    _request(409, "preset_built_in", "Preset is built in", "Choose another name; a preset of yours may build on it."),
    _request(409, "too_many_pipelines", "Too many pipelines", "Delete pipelines that no job to come will name."),
    _request(409, "too_many_presets", "Too many presets", "Delete presets that no job to come will name."),
    _request(422, "unknown_queue", "Unknown queue", "Choose one that is named, or start a worker that takes from it."),
    _request(
        422, "unsupported_combination", "Members do not fit together", "Change one of the members that are named."
    ),
    _request(
        422,
        "output_is_source",
        "Output would be a source",
        "Write to another prefix or, a package, into a folder with a name of its own.",
    ),
    _request(
        422,
        "unsupported_event",
        "Event is not understood",
        "Send what S3, SNS, EventBridge, MinIO or Ceph says of an object that was made, as it comes.",
    ),
    _request(
        422, "unknown_topic", "Topic is on no list", "Name it in `topics` of an ingest rule, then have SNS ask again."
    ),
    _request(422, "idempotency_mismatch", "Key was used for another body", "Use a new `Idempotency-Key`."),
    _request(422, "job_too_large", "Job asks for too much", "Ask for fewer or smaller outputs."),
    _request(422, "unsupported_kind", "Kind is not installed", "Choose one of the kinds that are named."),
    _request(429, "rate_limited", "Too many calls", "Try again after `Retry-After`, and spread the calls."),
    _request(
        429, "queue_full", "Too many jobs", "Wait until some of your jobs have ended, or cancel some, and try again."
    ),
    _request(500, "internal_error", "Internal error", "Tell the operator the request id."),
    _request(503, "database_unavailable", "Database is away", "Try again after `Retry-After`."),
    _request(
        503,
        "ingest_incomplete",
        "Not all events were taken in",
        "Send them again: what was taken in makes no second job. `errors` says what stands in the way.",
    ),
    _request(503, "draining", "Server is stopping", "Try again after `Retry-After`."),
    _job(_PERMANENT, "source_not_found", "Source is not there", "Check the address of the source."),
    _job(_PERMANENT, "source_auth_failed", "Source refuses us", "Check the credentials of the source."),
    _job(_PERMANENT, "source_refused", "Source refuses the request", "Check the address; the message has the status."),
    _job(
        _PERMANENT,
        "source_changed",
        "Source changed meanwhile",
        "Leave the source as it is until the job has ended, then `retry`: all of it is made anew.",
    ),
    _job(_PERMANENT, "source_gone", "Source is gone", "Give an address that still works."),
    _job(_PERMANENT, "redirect_not_allowed", "Redirect is not followed", "Give the address that it leads to."),
    _job(_PERMANENT, "too_many_redirects", "Too many redirects", "Give the address that they lead to."),
    _job(_PERMANENT, "tls_error", "Certificate is not valid", "Renew the server's certificate."),
    _job(_PERMANENT, "host_key_mismatch", "Host key is another one", "Compare `hostKey` with the server's own key."),
    _job(_PERMANENT, "empty_source", "Source is empty", "Upload the file again."),
    _job(_PERMANENT, "unsupported_format", "Format is not supported", "Send a video, audio or picture file."),
    _job(_PERMANENT, "encrypted_source", "Source is encrypted", "Send the file without DRM."),
    _job(_PERMANENT, "source_truncated", "Source ends early", "Upload the file again and compare its size."),
    _job(_PERMANENT, "source_damaged", "Source is damaged", "Upload the file again and compare its checksum."),
    _job(_PERMANENT, "source_too_large", "Source is too large", "Send a smaller file, or raise the limit."),
    _job(_PERMANENT, "resolution_too_large", "Picture is too large", "Send a picture of at most 8192×4320."),
    _job(_PERMANENT, "too_many_streams", "Too many streams", "Remove streams that are not needed."),
    _job(_PERMANENT, "duration_mismatch", "Duration is wrong", "Remux the file; its time stamps lie."),
    _job(_PERMANENT, "no_video_stream", "No video in the source", "Ask for an audio output."),
    _job(_PERMANENT, "no_audio_stream", "No audio in the source", "Ask for a video output."),
    _job(_PERMANENT, "no_subtitle_stream", "No subtitles in the source", "Ask for tracks that `POST /probe` shows."),
    _job(_PERMANENT, "unsupported_hdr", "HDR kind is not supported", "Send HDR10, HLG or SDR."),
    _job(_PERMANENT, "encoder_not_available", "Encoder is missing", "Choose an encoder that `encoder doctor` lists."),
    _job(
        _PERMANENT,
        "measure_not_available",
        "Measure is missing",
        "Leave it out of `measure`, or use a build that has it.",
    ),
    _job(_PERMANENT, "encoder_refused", "Encoder refuses the settings", "Change the settings that the message names."),
    _job(_PERMANENT, "output_invalid", "Result failed its proof", "Read the proof; retry, then report it."),
    _job(_PERMANENT, "picture_too_large", "Picture would be too large", "Ask for a smaller picture."),
    _job(_PERMANENT, "output_too_large", "Result is too large", "Ask for a lower rate."),
    _job(_PERMANENT, "destination_auth_failed", "Destination refuses us", "Check the destination's credentials."),
    _job(
        _PERMANENT,
        "destination_refused",
        "Destination refuses the request",
        "Check address and method; the message has the status.",
    ),
    _job(_PERMANENT, "destination_not_found", "Destination is not there", "Check the destination's address."),
    _job(_PERMANENT, "secret_unreadable", "Secret cannot be read", "Post the job again with its credentials."),
    _job(_PERMANENT, "deadline_exceeded", "Took too long", "Shorten the clip, or choose a faster preset."),
    _job(_TRANSIENT, "source_unavailable", "Source does not answer", "Check the source; we tried again by ourselves."),
    _job(_TRANSIENT, "destination_unavailable", "Destination does not answer", "Check the destination, then `retry`."),
    _job(_TRANSIENT, "storage_unavailable", "Storage does not answer", "Check `ENCODER_STORAGE`, then `retry`."),
    _job(_TRANSIENT, "integrity_error", "Bytes arrived changed", "Check the network, then `retry`."),
    _job(_TRANSIENT, "timeout", "Took too long to answer", "Check the other side, then `retry`."),
    _job(_RESOURCE, "disk_full", "Disk is full", "Free scratch space, or set `ENCODER_SCRATCH_DIR`."),
    _job(_RESOURCE, "out_of_memory", "Memory is short", "Give the worker more memory or fewer slots."),
    _job(_CRASH, "encoder_stalled", "Encoder stood still", "Retry; report the source if it happens again."),
    _job(_CRASH, "encoder_oom", "Encoder ran out of memory", "Ask for a smaller picture, or give more memory."),
    _job(_CRASH, "encoder_crashed", "Encoder crashed", "Retry; report the source if it happens again."),
    _job(_CRASH, "worker_lost", "Worker was lost three times", "Read the worker's log, then `retry`."),
    Entry(
        code="exhausted",
        where=Where.DELIVERY,
        title="Receiver never took it",
        to_do="Repair the receiver, then replay the delivery.",
    ),
    Entry(
        code="receiver_unavailable",
        where=Where.DELIVERY,
        title="Receiver does not answer",
        to_do="Check the receiver; we try again by ourselves.",
    ),
    Entry(
        code="receiver_silent",
        where=Where.DELIVERY,
        title="Receiver was silent too often",
        to_do="Check the receiver: it is not dialled for a while; we try again by ourselves.",
    ),
    Entry(
        code="gone",
        where=Where.DELIVERY,
        title="Receiver wants no more",
        to_do="Check the receiver: it answered 410.",
    ),
    Entry(
        code="endpoint_removed",
        where=Where.DELIVERY,
        title="Endpoint was removed",
        to_do="Put an endpoint of that name, then replay the delivery.",
    ),
    Entry(
        code="endpoint_disabled",
        where=Where.DELIVERY,
        title="Endpoint is disabled",
        to_do="Enable the endpoint, then replay the delivery.",
    ),
    _warning("no_audio", "Source has no audio", "Nothing; the output has none either."),
    _warning("hdr_to_sdr", "HDR was made SDR", "Set `toneMap` to false with HEVC or AV1 to keep HDR."),
    _warning("rotated", "Recorded turned", "Nothing; the output is upright."),
    _warning("deinterlaced", "Interlace was removed", "Set `deinterlace` to false if the picture is not interlaced."),
    _warning("fields_mixed", "Interlace is left in the picture", "Leave `deinterlace` out to have whole frames made."),
    _warning("level_raised", "Level was too low", "Ask for a higher `level`, or for a smaller picture."),
    _warning("begins_inside_gop", "First frames are missing", "Cut the source at a keyframe if they matter."),
    _warning("transparency_lost", "What is transparent was not seen", "Use an ffmpeg that has libvpx."),
    _warning("film_restored", "Film was put back together", "Set `deinterlace` to false if it is no film."),
    _warning("frames_repaired", "Some frames were damaged", "Upload the file again if the picture matters."),
    _warning("variable_frame_rate", "Frame rate was uneven", "Set `fps` to choose the rate yourself."),
    _warning("codec_substituted", "Another encoder was used", "Name an encoder that the workers have."),
    _warning("not_upscaled", "Source is smaller than asked", "Set `upscale` to true to enlarge it."),
    _warning("channels_kept", "Source has fewer channels", "Nothing; the output has as many as the source."),
    _warning("password_in_the_clear", "Password goes unencrypted", "Use `ftps` or `sftp`, if the server speaks them."),
    _warning("host_key_unchecked", "Server could be any", "Give `hostKey`; the server's operator knows it."),
    _warning("suffix_differs", "Name promises another format", "Name the file as its `container`, or change that."),
    _warning("tracks_paired", "Two tracks became stereo", "Name tracks in `audioTracks` to have them singly."),
    _warning("audio_track_missing", "A track of sound is missing", "Ask for the tracks that `POST /probe` shows."),
    _warning("subtitles_missing", "Subtitles are missing", "Ask for the tracks that `POST /probe` shows."),
    _warning("subtitles_are_pictures", "Subtitles are pictures", "Ask for `burn-in`: no text can be made of them."),
    _warning("subtitles_empty", "Subtitles say nothing", "Nothing; there are none in this part of the source."),
    _warning("subtitles_damaged", "Some subtitles are lost", "Look at the source: some could not be read."),
    _warning("letters_missing", "Letters have no font", "Install a font that has them on the workers."),
    _warning("loudness_dynamic", "Dynamics were compressed", "Ask for a lower `loudness` to keep the dynamics."),
    _warning("loudness_missed", "Sound could not be so loud", "Ask for a lower `loudness`: its peaks allow no more."),
    _warning("loudness_silent", "Sound is silence", "Nothing; no gain was applied."),
    _warning("preview_shortened", "Only the beginning is shown", "Set `clip` to choose the part that is shown."),
    _warning("moments_after_end", "Some moments are after the end", "Nothing; the last frame stands for them."),
    _warning("quality_below_target", "Quality is below its target", "Ask for a slower `encoderPreset`, or for less."),
    _warning("not_chunked", "Picture is made in one piece", "Leave `chunked` out, or change what its message names."),
    _warning("target_not_tried", "Samples could not be tried", "Retry, or set `crf` yourself."),
    _warning("quality_not_measured", "Quality is not known", "Retry, or give the worker more memory."),
    _warning("encoded_alone", "Shared pass failed", "Nothing; the output was encoded by itself."),
    _warning("encoded_whole", "Chunks could not be joined", "Nothing; the output was encoded in one piece."),
    _container("invalid_environment", "Environment is wrong", "Correct what is named, and start a container anew."),
    _container("source_denied", "Source is kept from us", "Let the role read the source, and list its bucket."),
    _container("upload_failed", "Result could not be stored", "Let the role write there, and run the container again."),
    _container("status_unavailable", "Status cannot be kept", "Check what keeps it, and run the container again."),
    _container("interrupted", "Stopped before its end", "Run the container again; give it the time that it needs."),
    _container("overtaken", "Another copy was first", "Run the container again: it looks what stands."),
    _container("cancelled", "Job was cancelled", "Nothing; `encoder retry` begins it anew."),
)

CATALOGUE: dict[str, Entry] = {entry.code: entry for entry in _ENTRIES}
