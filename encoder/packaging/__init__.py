"""What a package promises to players, read from its bytes: codecs, bandwidths, times; and the lint of check 13.

Pure on a folder that ffmpeg has filled, `<name>/init.mp4`, `<name>/00001.m4s`, `<name>/index.m3u8` for each track:
`read` measures it, `write` adds the manifests of all tracks, `check` re-opens everything and compares.
"""

from encoder.packaging.lint import check
from encoder.packaging.manifests import write
from encoder.packaging.measure import read
from encoder.packaging.track import Kind, Segments, Track, Written

__all__ = ["Kind", "Segments", "Track", "Written", "check", "read", "write"]
