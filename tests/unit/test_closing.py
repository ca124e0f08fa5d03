"""The closing lines of ffmpeg, as n9.0.2 and 5.1 print them."""

from __future__ import annotations

from encoder.ffmpeg.closing import Closing, Read, Written, read_closing

N9 = """\
[AVIOContext @ 0x5612] Statistics: 2879342 bytes written, 2 seeks, 14 writeouts
[out#0/mp4 @ 0x5614] Output file #0 (file:/scratch/1/out-0.mp4):
[out#0/mp4 @ 0x5614]   Output stream #0:0 (video): 179 frames encoded; 179 packets muxed (2871078 bytes); 
[out#0/mp4 @ 0x5614]   Output stream #0:1 (audio): 277 frames encoded (283648 samples); 278 packets muxed (1698 bytes); 
[out#0/mp4 @ 0x5614]   Total: 457 packets (2872776 bytes) muxed
[out#1/webm @ 0x5615] Output file #1 (file:/scratch/1/out-3.webm):
[out#1/webm @ 0x5615]   Output stream #1:0 (video): 289 packets muxed (1723643 bytes); 
[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x5613] Input file #0 (fd:):
[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x5613]   Input stream #0:0 (video): 180 packets read (1071441 bytes); 179 frames decoded; 1 decode errors; 
[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x5613]   Input stream #0:1 (audio): 278 packets read (1698 bytes); 277 frames decoded; 0 decode errors (283648 samples); 
[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x5613]   Input stream #0:2 (video): 12 packets read (99 bytes); 
[in#0/mov,mp4,m4a,3gp,3g2,mj2 @ 0x5613]   Total: 458 packets (1073139 bytes) demuxed

Exiting with exit code 0
"""  # noqa: E501, W291  # as printed

V5 = """\
Input file #0 (source):
  Input stream #0:0 (video): 297 packets read (13279844 bytes); 297 frames decoded; 
  Total: 297 packets (13279844 bytes) demuxed
Output file #0 (file:/scratch/1/out-0.mp4):
  Output stream #0:0 (video): 297 frames encoded; 297 packets muxed (5635593 bytes); 
"""  # noqa: W291  # as printed


def test_every_stream_is_read() -> None:
    assert read_closing(N9) == Closing(
        read=(
            Read(index=0, kind="video", packets=180, frames=179, errors=1),
            Read(index=1, kind="audio", packets=278, frames=277, errors=0),
            Read(index=2, kind="video", packets=12, frames=None, errors=0),
        ),
        written=(
            Written(file=0, index=0, kind="video", packets=179, frames=179),
            Written(file=0, index=1, kind="audio", packets=278, frames=277),
            Written(file=1, index=0, kind="video", packets=289, frames=None),
        ),
        names=("/scratch/1/out-0.mp4", "/scratch/1/out-3.webm"),
    )


def test_older_builds_say_the_same_without_brackets() -> None:
    closing = read_closing(V5)
    assert closing.source(0) == Read(index=0, kind="video", packets=297, frames=297)
    assert closing.result("out-0.mp4", "video") == Written(file=0, index=0, kind="video", packets=297, frames=297)


def test_a_result_is_found_by_its_name() -> None:
    closing = read_closing(N9)
    assert closing.result("out-3.webm", "video") == closing.written[2]
    assert closing.result("out-3.webm", "audio") is None
    assert closing.result("out-9.mp4", "video") is None


def test_a_title_that_imitates_a_closing_line_does_not_count() -> None:
    title = "    title   : x\n  Input stream #0:0 (video): 999 packets read (1 bytes); 999 frames decoded; \n"
    assert read_closing(title + N9) == read_closing(N9)


def test_a_log_without_an_end_tells_nothing() -> None:
    assert read_closing("") == Closing()
    assert read_closing("[h264 @ 0x1] Invalid NAL unit size\nKilled\n") == Closing()
