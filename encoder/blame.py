"""What a failure means in a sentence, and who has to act: what is said of a code beside its row in the catalogue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Blame(StrEnum):
    """Where the cause lies. `place`: at the source or the destination, whichever was spoken to just then."""

    SOURCE = "source"
    DESTINATION = "destination"
    PLACE = "place"
    SETTINGS = "settings"
    PLATFORM = "platform"
    RECEIVER = "receiver"


@dataclass(frozen=True, slots=True)
class Meaning:
    blame: Blame
    about: str


def _of(blame: Blame, **sentences: str) -> dict[str, Meaning]:
    return {code: Meaning(blame, about) for code, about in sentences.items()}


MEANINGS: Mapping[str, Meaning] = {
    **_of(
        Blame.SOURCE,
        source_not_found="The source's server says that there is no such file.",
        source_auth_failed="The source's server does not let us in with the credentials of this job.",
        source_refused="The source's server understood the request and refuses it.",
        source_changed="The source gave other bytes than when the job was planned, while workers were at its chunks.",
        source_gone="The source's server says that the file was there once and will not come back.",
        empty_source="The file that arrived has no bytes.",
        unsupported_format="What arrived is in no format that is read here.",
        encrypted_source="The file is protected by DRM, which nobody can encode without its licence.",
        source_truncated="The file ends before the end that it promises; every try stopped at the same byte.",
        source_damaged="So much of the file cannot be decoded that the result would not be what was recorded.",
        source_too_large="The file is larger than this server takes.",
        resolution_too_large="The picture of the source is larger than this server decodes.",
        too_many_streams="The file has more streams than this server reads.",
        duration_mismatch="The time stamps of the file contradict its length, so that no part of it has a known time.",
        no_video_stream="A picture was asked for, but the source has none.",
        no_audio_stream="Sound was asked for, but the source has none.",
        no_subtitle_stream="Subtitles were asked for that the source does not have.",
        unsupported_hdr="The source has a kind of HDR that cannot be converted faithfully.",
        source_unavailable="The source's server did not answer, or broke off, each time that it was asked.",
    ),
    **_of(
        Blame.DESTINATION,
        destination_auth_failed="The destination does not accept the credentials of this job.",
        destination_refused="The destination understood the request and refuses to take the file.",
        destination_not_found="The destination's server says that there is no such bucket, folder or address.",
        destination_unavailable="The destination did not answer, or broke off, each time that a file was sent.",
    ),
    **_of(
        Blame.PLACE,
        redirect_not_allowed="The server sends us elsewhere, where this job's request may not follow.",
        too_many_redirects="The server sends us on and on, from address to address.",
        tls_error="The server's certificate cannot be trusted, so that nothing was exchanged with it.",
        host_key_mismatch="The server shows another host key than the job expects: it may not be the one it claims.",
        integrity_error="The bytes that arrived are not the bytes that were sent.",
        timeout="The other side took longer than is waited for.",
        address_not_allowed="The address leads into a network that this server must not speak to.",
        port_not_allowed="The address names a port that this server must not speak to.",
        invalid_url="The address cannot be used as it is written.",
        invalid_path="The path cannot be used as it is written.",
        path_not_allowed="The path lies outside the folders that the operator opened.",
        credentials_required="The place asks for credentials, and the job has none that may be used there.",
        unsupported_kind="The kind of place that the job names is not installed on this worker.",
    ),
    **_of(
        Blame.SETTINGS,
        encoder_not_available="The output asks for an encoder that the ffmpeg of the worker does not have.",
        measure_not_available="The output asks for a measure that this build of ffmpeg does not have.",
        encoder_refused="The encoder does not take this combination of settings.",
        picture_too_large="The picture that was asked for is larger than the codec or this server allows.",
        output_too_large="The result grew beyond the size that an output may have.",
        deadline_exceeded="The work took longer than one task may take.",
        invalid_range="The part of the source that was asked for does not lie inside it.",
        secret_unreadable="The job's credentials were sealed with a key that this server has no more.",  # noqa: S106  # a code
        secrets_erased="The job's credentials were erased after its end, so that it cannot be run again.",
    ),
    **_of(
        Blame.PLATFORM,
        output_invalid="The result did not pass its proof and was not published; the proof says which check failed.",
        storage_unavailable="The platform's own storage did not answer when the result was to be stored.",
        disk_full="The worker's scratch disk has no room for the source and the results beside it.",
        out_of_memory="The worker has not enough memory, or may not start another process.",
        encoder_stalled="The encoder lived but did nothing for two minutes, and was ended.",
        encoder_oom="The encoder needed more memory than the worker has, and was ended.",
        encoder_crashed="The encoder ended by itself before its work was done.",
        worker_lost="Three workers fell silent while they had this task.",
        internal_error="Something went wrong inside the platform; the worker's log has the details.",
    ),
    **_of(
        Blame.RECEIVER,
        exhausted="The receiver did not take the message in any of its tries; no more are made.",
        receiver_unavailable="The receiver did not answer in time, or the connection broke.",
        receiver_silent="The receiver was silent so often that it is left alone for a while.",
        gone="The receiver answered 410: it wants to hear no more of this job.",
        endpoint_removed="The endpoint was removed before it could be told.",
        endpoint_disabled="The endpoint was switched off before it could be told.",
    ),
}
