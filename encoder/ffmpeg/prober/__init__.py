"""The prober: a process of its own that opens media with PyAV inside the box. Only this folder imports `av`.

`python -m encoder.ffmpeg.prober WORD… -- QUESTION`: the file is descriptor 3, the answer is JSON on stdout.
"""
