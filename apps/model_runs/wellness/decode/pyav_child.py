"""Run as a script inside the sandbox: decodes one file with PyAV and writes it to standard output.

Arguments: directory that holds PyAV, file, demuxer, decoders allowed (comma-separated), filters after the mixdown,
samples wanted. Output: a JSON object padded with spaces to HEADER_BYTES, then mono float32 samples. PyAV is imported
here and nowhere else; numpy and the rest of Helios are not imported, which keeps the start under 0.2 s.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from av.audio.frame import AudioFrame
    from av.audio.stream import AudioStream
    from av.container import InputContainer
    from av.filter import Graph

HEADER_BYTES = 512
EXIT_UNAVAILABLE = 70  # PyAV cannot be imported
EXIT_UNREADABLE = 71  # the container cannot be opened
EXIT_NO_AUDIO = 72
EXIT_CODEC = 73  # the name of the codec is on standard error

MAX_ERRORS = 1000  # damaged packets passed over before the rest of the file is given up


def main(arguments: list[str]) -> int:
    library, path, demuxer, decoders, filters, wanted = arguments
    sys.path.append(library)
    try:
        import av
        import av.logging
    except ImportError as error:
        print(error, file=sys.stderr)
        return EXIT_UNAVAILABLE
    av.logging.set_level(None)
    try:
        container = av.open(
            f"file:{path}",
            format=demuxer,
            metadata_errors="replace",
            options={"protocol_whitelist": "file", "codec_whitelist": decoders},
        )
    except (av.FFmpegError, ValueError):
        return EXIT_UNREADABLE
    if not container.streams.audio:
        return EXIT_NO_AUDIO
    stream = container.streams.audio[0]
    if stream.codec_context is None or stream.codec_context.name not in decoders.split(","):
        print(stream.codec_context.codec.canonical_name if stream.codec_context else "unknown", file=sys.stderr)
        return EXIT_CODEC
    stream.codec_context.thread_count = 1
    write(container, stream, filters, int(wanted))
    return 0


def write(container: InputContainer, stream: AudioStream, filters: str, wanted: int) -> None:
    """Writes the header at the first frame, then samples until the file ends or `wanted` are written."""
    written, graph, kind = 0, None, None
    for frame in frames(container, stream):
        if kind is None:
            send(header(container, stream, frame))
        if kind != (kind := (frame.format.name, frame.layout.name, frame.sample_rate)):
            written += drain(graph, None)
            graph = build(frame, filters)
        written += drain(graph, frame)
        if written >= wanted:
            return
    drain(graph, None)


def frames(container: InputContainer, stream: AudioStream) -> Iterator[AudioFrame]:
    """Decoded frames. A damaged packet is passed over; damage of the container ends the recording there."""
    import av

    errors = 0
    packets = container.demux(stream)
    while errors < MAX_ERRORS:
        try:
            packet = next(packets)
        except (StopIteration, av.FFmpegError):
            return
        try:
            yield from packet.decode()
        except MemoryError:
            raise
        except av.FFmpegError:
            errors += 1


def header(container: InputContainer, stream: AudioStream, frame: AudioFrame) -> bytes:
    values: dict[str, Any] = {
        "codec": stream.codec_context.codec.canonical_name,
        "sample_rate": frame.sample_rate,
        "channels": frame.layout.nb_channels,
        "seconds": container.duration / 1e6 if container.duration else None,
    }
    return json.dumps(values).encode().ljust(HEADER_BYTES)


def build(frame: AudioFrame, filters: str) -> Graph:
    """Mixes all channels down with equal weights, whatever they are called, then applies `filters`."""
    import av.filter

    channels = frame.layout.nb_channels
    graph = av.filter.Graph()
    graph.threads = 1
    nodes = [
        graph.add(
            "abuffer",
            f"sample_rate={frame.sample_rate}:sample_fmt={frame.format.name}"
            f":channel_layout={frame.layout.name}:time_base=1/{frame.sample_rate}",
        ),
        graph.add("pan", "mono|c0<" + "+".join(f"c{i}" for i in range(channels))),
    ]
    for item in filters.split(","):
        name, _, arguments = item.partition("=")
        nodes.append(graph.add(name, arguments))
    nodes.append(graph.add("abuffersink"))
    graph.link_nodes(*nodes)
    graph.configure()
    return graph


def drain(graph: Graph | None, frame: AudioFrame | None) -> int:
    """Passes a frame (None: the end) through the graph, writes what comes out, returns the samples written."""
    import av

    if graph is None:
        return 0
    graph.push(frame)
    written = 0
    while True:
        try:
            result = graph.pull()
        except (av.BlockingIOError, av.EOFError):
            return written
        assert isinstance(result, av.AudioFrame)
        send(memoryview(result.planes[0])[: 4 * result.samples])
        written += result.samples


def send(data: bytes | memoryview) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(1, view) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
