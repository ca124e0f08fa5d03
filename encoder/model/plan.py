"""What will be run and why: decided from facts and a spec, before anything runs."""

from __future__ import annotations

from encoder.model.base import Record


class Note(Record):
    """A reason or a warning: a stable code and a sentence that a person understands."""

    code: str
    message: str


class Mark(Record):
    """A watermark on the worker's disk: our name for the file, and the one demuxer that opens it."""

    file: str
    demuxer: str


class WatermarkPlan(Mark):
    """A watermark, and how it lies on the picture."""

    position: str
    opacity: float
    scale: float  # its width, in shares of the picture's


class Script(Record):
    """Text with times on the worker's disk: our name for the file, and the form it has."""

    file: str
    form: str  # srt, webvtt, ass


class BurntPlan(Record):
    """The subtitles that are drawn into a picture. Text lies in `file`, whole; pictures stay in the source."""

    source_index: int | None = None  # None: of a file that the caller named
    script: Script | None = None  # what `file` is made of; None: pictures
    file: str | None = None
    shape: str | None = None  # of pictures: width over height of those that cover the whole picture, as coded
    language: str | None = None


class SubtitlePlan(Record):
    """One track of subtitles that an output carries, or is."""

    source_index: int | None = None  # None: of a file that the caller named
    script: Script  # the whole track, in its own form
    file: str  # what of it the output shows, in the output's times
    form: str  # of `file`
    codec: str  # the codec that results
    language: str | None = None  # three letters
    default: bool = False
    forced: bool = False


class VideoPlan(Record):
    """The video stream of one output."""

    source_index: int
    decoder: str | None = None  # ffmpeg's name of the one for the source; None: its own choice
    encoder: str  # ffmpeg's encoder name, or `copy`
    codec: str  # the codec that results: h264, hevc, vp9, av1
    codec_tag: str | None = None
    width_px: int
    height_px: int
    rate: str  # exact output frame rate, "30000/1001"
    pixel_format: str
    gop_frames: int  # longest distance between keyframes
    grid: bool = False  # a keyframe every `gop_frames`, nowhere else
    from_zero: bool = False  # what comes late is preceded by repeats of its first frame
    held_frames: int = 0  # what ends early is followed by so many repeats of its last frame, of images before any cut
    options: tuple[tuple[str, str], ...] = ()  # encoder options in command order, each of our own making
    bitrate_bps: int | None = None
    max_bitrate_bps: int | None = None
    crf: float | None = None
    target_quality: float | None = None  # VMAF; until samples were tried, `crf` is the encoder's own
    predicted_quality: float | None = None  # VMAF, by those samples
    two_pass: bool = False  # a first run looks at the whole picture, a second shares out the bits
    profile: str | None = None  # as ffmpeg names it; the result may be a simpler one
    level: str | None = None
    color_range: str = "tv"
    color_primaries: str = "bt709"
    color_transfer: str = "bt709"
    color_matrix: str = "bt709"
    upload: tuple[str, ...] = ()  # filters that hand the finished picture to hardware
    # the chain, in the order of docs/why/encoding.md
    deinterlace: str | None = None  # bwdif mode: send_frame, send_field
    telecine: str | None = None  # field order (tff, bff) of a film on video, whose own frames are put together again
    evened: str | None = None  # the rate of a film, whose frames of two fields and of three get its even times
    turn_deg: int = 0  # clockwise, beyond autorotate
    matrix_in: str | None = None  # what an untagged source is taken for; None: as tagged
    tone_map: str | None = None  # the input's transfer: smpte2084, arib-std-b67
    gamut: str | None = None  # the input's primaries, where they are made BT.709
    linear: bool = False  # the input is light without a curve
    peak_nits: int = 1000  # what tone mapping takes for the brightest light of the source
    strip_hdr: bool = False  # side data of HDR goes: the output is SDR, or the data cannot be believed
    transparent: bool = False  # pixels may be transparent: they are shown on black
    scale: tuple[int, int] | None = None  # size before crop or pad; None: the output size
    crop: bool = False  # fit=cover: scale to `scale`, then cut to the output size
    pad: bool = False  # fit=pad: scale to `scale`, then black to the output size
    cut_seconds: float | None = None  # of a copy, in the output's time: what is shown from then on is left out
    watermark: WatermarkPlan | None = None
    burnt: BurntPlan | None = None
    start_seconds: float = 0.0  # of the first frame, in the output's time
    duration_seconds: float | None = None  # expected
    frames: int | None = None  # expected
    frames_limit: int = 1  # how far from `frames` a good result may be: wide where the source's times are guesses


class Loudness(Record):
    """How loud a track is by EBU R128. All None: silence."""

    lufs: float | None = None  # integrated
    range_lu: float | None = None  # LRA
    peak_dbtp: float | None = None  # true peak


class LoudnessPlan(Record):
    """How loud a track shall be. Until it was measured, `mode` is None."""

    target_lufs: float
    ceiling_dbtp: float
    mode: str | None = None  # linear: a plain gain; dynamic: compressed; silent: left as it is
    source: Loudness | None = None  # the mapped track, before
    gain_db: float = 0.0
    aim_lufs: float | None = None  # what the result must have; not the target where its peaks forbid that


class AudioPlan(Record):
    """The audio stream of one output."""

    source_index: int
    right_index: int | None = None  # the track of its right channel, where it lies in one of its own
    encoder: str  # or `copy`
    codec: str
    channels: int
    layout: str
    sample_rate_hz: int
    bitrate_bps: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    filters: tuple[str, ...] = ()
    language: str | None = None  # three letters
    default: bool | None = None  # whether players take it by themselves; None: nothing says so
    loudness: LoudnessPlan | None = None
    start_seconds: float = 0.0  # of the first sample, in the output's time
    duration_seconds: float | None = None  # expected
    frame_seconds: float = 0.0  # of one packet: the grain of every measure of time


KEY_FILE = "package.key"  # of an encrypted package, beside what players open first


class PackagePlan(Record):
    """A folder of files in place of one file: what players switch between, cut on one grid."""

    kind: str  # hls, dash, cmaf
    segments: str = "fmp4"  # or ts
    segment_frames: int  # of the picture, whole GOPs
    segment_seconds: str  # exactly those frames, "6006/1000": the sound is cut by it too
    playlist_name: str  # of what players open first, with its ending
    encryption: str | None = None  # aes-128

    @property
    def suffix(self) -> str:
        """How a segment's name ends."""
        return "ts" if self.segments == "ts" else "m4s"


class ImagesPlan(Record):
    """Which frames an output of images shows, counted on the constant rate of its picture from 0 on; and how.

    `video` says what each picture is: of a sheet, each cell.
    """

    kind: str  # still: one image; several; moving: one image that plays
    count: int | None  # pictures: files, cells of sheets, frames that play. None: the source does not say its length
    step_frames: str | None = None  # exactly so many from one to the next, "120/1"
    frames: tuple[int, ...] = ()  # in place of a step: these
    typical: bool = False  # of `frames` only the one that is most like all of them, and none that is black
    columns: int = 1  # of a sheet
    rows: int = 1
    timeline_frames: int | None = None  # all that there are
    sparse: bool = False  # of the source only what these pictures need is decoded
    cues: str | None = None  # the name of the file that says which picture belongs to which moment
    names: str = "{index}"  # of several files, without ending

    @property
    def cells(self) -> int:
        """Pictures in one file."""
        return self.columns * self.rows

    @property
    def files(self) -> int | None:
        """Image files in all."""
        if self.kind != "several":
            return 1
        return None if self.count is None else -(-self.count // self.cells)

    def file_name(self, place: int, extension: str) -> str:
        """What one of several is called; `place` counts from 0."""
        return f"{self.names.replace('{index}', f'{place + 1:05}')}.{extension}"


class OutputPlan(Record):
    """One output: `output` is its position in the job.

    Of a package, `renditions` say all that is made, each of one stream; `video` and `audio` are the best of them.
    """

    output: int
    name: str = ""  # of a rendition: its folder in the package
    container: str
    muxer: str  # ffmpeg's format name
    extension: str
    content_type: str
    package: PackagePlan | None = None  # a folder of files
    renditions: tuple[OutputPlan, ...] = ()
    images: ImagesPlan | None = None
    faststart: bool = False
    video: VideoPlan | None = None
    audio: AudioPlan | None = None
    more_audio: tuple[AudioPlan, ...] = ()  # further tracks, after `audio`
    subtitles: tuple[SubtitlePlan, ...] = ()
    seek_seconds: float = 0.0  # where decoding begins: before the clip, never inside it
    clip_start_seconds: float = 0.0  # snapped to an output frame
    clip_seconds: float | None = None  # None: to the end
    clipped: bool = False
    duration_seconds: float | None = None  # expected
    start_offset_seconds: float = 0.0  # audio start minus video start, kept from the source
    measure: tuple[str, ...] = ()  # how near it is to its source is told with its proof: vmaf, ssim, psnr
    reasons: tuple[Note, ...] = ()
    warnings: tuple[Note, ...] = ()

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder of files, and not one."""
        return self.package is not None or (self.images is not None and self.images.kind == "several")

    @property
    def file_name(self) -> str:
        """What the output is called while it is made."""
        return f"out-{self.output}" if self.is_folder else f"out-{self.output}.{self.extension}"

    @property
    def opened_first(self) -> str | None:
        """Of a folder, the file that leads to the others; of pictures without cues, the first one."""
        if self.package is not None:
            return self.package.playlist_name
        if self.images is not None and self.is_folder:
            return self.images.cues or self.images.file_name(0, self.extension)
        return None

    @property
    def sounds(self) -> tuple[AudioPlan, ...]:
        """All tracks of sound, in their order."""
        return () if self.audio is None else (self.audio, *self.more_audio)

    @property
    def streams(self) -> tuple[OutputPlan, ...]:
        """What ffmpeg writes by itself: each rendition of a package, else the one file."""
        return self.renditions or (self,)


class Stretch(Record):
    """A part of the source, in seconds from its first moment; infinite: from whatever comes first, to the end."""

    start_seconds: float
    end_seconds: float


class Part(Record):
    """What of the source a chunk is made of, in seconds from where the times of the whole begin.

    It is decoded from `enter_seconds` on; the frames from `start_seconds` until `end_seconds` are its own, and counted
    (None: from the first, to the last). `run_in`: of each of its streams, how many frames are encoded before the first
    that is kept.
    """

    enter_seconds: float
    start_seconds: float | None = None
    end_seconds: float | None = None
    run_in: tuple[int, ...] = ()


class Joint(Record):
    """A picture that lies there in chunks, one stream of an output.

    `script`: our list of them, below the folder of the run; `late_seconds`: when its first frame is shown, exactly.
    """

    output: int
    name: str
    script: str
    late_seconds: str = "0"


class Pass(Record):
    """One ffmpeg run: the outputs that share its decode. `decoded`: nothing else is; (): the whole source.

    `part`: it makes a chunk. `joints`: pictures that it does not make, for they are there.
    """

    outputs: tuple[int, ...]
    decoded: tuple[Stretch, ...] = ()
    part: Part | None = None
    joints: tuple[Joint, ...] = ()


class Refusal(Record):
    """An output that cannot be made from this source. `code` is permanent in the catalogue."""

    output: int
    code: str
    message: str


class Plan(Record):
    """What becomes of a job's outputs."""

    outputs: tuple[OutputPlan, ...]
    passes: tuple[Pass, ...]
    refused: tuple[Refusal, ...] = ()

    def output(self, number: int) -> OutputPlan:
        """The plan of one output, by its position in the job."""
        return next(output for output in self.outputs if output.output == number)


class Estimate(Record):
    """Predicted cost of one output."""

    size_bytes: int | None
    cpu_seconds: float | None
    scratch_bytes: int | None
    memory_bytes: int | None = None


class Need(Record):
    """What an attempt is predicted to take of its machine: on the disk, and of memory for its encoders."""

    scratch_bytes: int = 0
    memory_bytes: int = 0


NOTHING = Need()
