"""What a package promises to players, read from its bytes: codecs, bandwidths, times; and the lint of check `package`.

Pure on a folder that ffmpeg has filled, `<name>/init.mp4`, `<name>/00001.m4s`, `<name>/index.m3u8` for each track:
`read` measures it, `write` adds the manifests of all tracks, `check` re-opens everything and compares.

All tracks must begin at one moment. ffmpeg's muxers move each one on its own until no time stamp is negative (a picture
with B-frames by their delay, AAC by its priming: 67 and 21 ms, n9.0.2). `-avoid_negative_ts disabled` leaves that to
fMP4's edit list, which is exact; TS wants `-hls_segment_options avoid_negative_ts=disabled` besides.
"""

from encoder.packaging.cipher import new_key
from encoder.packaging.lint import check
from encoder.packaging.lint_key import keys_of
from encoder.packaging.manifests import write
from encoder.packaging.measure import opened, read
from encoder.packaging.text import Text
from encoder.packaging.track import Kind, Segments, Track, Written

__all__ = [
    "Kind",
    "Segments",
    "Text",
    "Track",
    "Written",
    "check",
    "keys_of",
    "new_key",
    "opened",
    "read",
    "write",
]
