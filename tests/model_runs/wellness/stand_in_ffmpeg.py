"""Speaks as much of the command line of `ffmpeg` and `ffprobe` as Helios uses, on top of PyAV.

With it the tests of argument building, process handling, limits and error mapping run on machines without the
programs. It accepts exactly the options that we give; another one ends it with an error, as a misspelt one ends the
real programs. Where the real programs are found, every such test runs with them as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import av
import av.logging

SCRIPT = """#!{python}
import runpy, sys
sys.exit(runpy.run_path({path!r})["main"]({name!r}, sys.argv[1:]))
"""


def install(directory: Path) -> None:
    """Puts executable `ffmpeg` and `ffprobe` into a directory."""
    for name in ("ffmpeg", "ffprobe"):
        program = directory / name
        program.write_text(SCRIPT.format(python=sys.executable, name=name, path=__file__))
        program.chmod(0o755)


def parser_of(name: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(name, allow_abbrev=False, add_help=False)
    parser.add_argument("-hide_banner", action="store_true", required=True)
    parser.add_argument("-v", choices=["error"], required=True)
    parser.add_argument("-protocol_whitelist", choices=["file"], required=True)
    parser.add_argument("-f", action="append", required=True)
    parser.add_argument("-i", required=True)
    if name == "ffprobe":
        parser.add_argument("-select_streams", choices=["a:0"], required=True)
        parser.add_argument("-show_entries", required=True)
        parser.add_argument("-of", choices=["json=compact=1"], required=True)
    else:
        parser.add_argument("-nostdin", action="store_true", required=True)
        parser.add_argument("-threads", choices=["1"], required=True)
        parser.add_argument("-filter_threads", choices=["1"], required=True)
        parser.add_argument("-codec_whitelist", required=True)
        parser.add_argument("-map", choices=["0:a:0"], required=True)
        parser.add_argument("-af", required=True)
        parser.add_argument("-c:a", choices=["pcm_f32le"], required=True)
        parser.add_argument("output", choices=["pipe:1"])
    return parser


def main(name: str, arguments: Sequence[str]) -> int:
    options = parser_of(name).parse_args(arguments)
    av.logging.set_level(None)
    whitelist = {"codec_whitelist": options.codec_whitelist} if name == "ffmpeg" else {}
    try:
        container = av.open(
            options.i,
            format=options.f[0],
            metadata_errors="replace",
            options={"protocol_whitelist": options.protocol_whitelist, **whitelist},
        )
    except av.FFmpegError as error:
        print(f"{options.i}: {error}", file=sys.stderr)
        return 1
    if name == "ffprobe":
        return probe(container)
    return decode(container, options.af, options.codec_whitelist.split(","))


def probe(container: Any) -> int:
    streams = [
        {
            "codec_name": stream.codec_context.codec.canonical_name,
            "sample_rate": str(stream.rate),
            "channels": stream.codec_context.channels,
        }
        for stream in container.streams.audio[:1]
    ]
    seconds = {"duration": f"{container.duration / 1e6:.6f}"} if container.duration else {}
    print(json.dumps({"programs": [], "streams": streams, "format": seconds}))
    return 0


def decode(container: Any, filters: str, allowed: Sequence[str]) -> int:
    stream = container.streams.audio[0]
    if stream.codec_context.name not in allowed:
        print(f"Codec ({stream.codec_context.name}) not on whitelist", file=sys.stderr)
        return 1
    graph = None
    try:
        for packet in container.demux(stream):
            try:
                frames = packet.decode()
            except av.FFmpegError:
                continue
            for frame in frames:
                graph = graph or build(frame, filters)
                graph.push(frame)
                drain(graph)
    except av.FFmpegError as error:
        print(error, file=sys.stderr)
    if graph is not None:
        graph.push(None)
        drain(graph)
    return 0


def build(frame: Any, filters: str) -> Any:
    graph = av.filter.Graph()
    source = (
        f"sample_rate={frame.sample_rate}:sample_fmt={frame.format.name}"
        f":channel_layout={frame.layout.name}:time_base=1/{frame.sample_rate}"
    )
    nodes = [graph.add("abuffer", source)]
    nodes += [graph.add(*item.split("=", 1)) for item in filters.split(",")]
    graph.link_nodes(*nodes, graph.add("abuffersink"))
    graph.configure()
    return graph


def drain(graph: Any) -> None:
    while True:
        try:
            frame = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return
        sys.stdout.buffer.write(bytes(frame.planes[0])[: 4 * frame.samples])
