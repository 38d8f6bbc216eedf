"""JPEG and PNG files, by Pillow and no other of its decoders."""

from __future__ import annotations

from typing import IO

from PIL import Image

from apps.patients.documents.inspection.faults import Fault, Refused

MAX_PIXELS = 50_000_000
_FORMATS = {"jpg": ("JPEG",), "png": ("PNG",)}
# What Pillow raises for damage of any kind.
_UNREADABLE = (OSError, SyntaxError, ValueError, EOFError, IndexError, KeyError, TypeError, OverflowError)


def opened(file: IO[bytes], kind: str) -> Image.Image:
    """The image, of which the header is read and nothing else, within the bound of pixels. Raises Refused."""
    try:
        image = Image.open(file, formats=_FORMATS[kind])
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Refused(Fault.PIXELS) from None
    except _UNREADABLE:
        raise Refused(Fault.DAMAGED) from None
    if image.width * image.height > MAX_PIXELS:
        raise Refused(Fault.PIXELS)
    return image


def check_whole(file: IO[bytes], kind: str) -> None:
    """Decode all pixels; of a PNG all of its frames. Raises Refused."""
    image = opened(file, kind)
    frames = getattr(image, "n_frames", 1) if kind == "png" else 1
    if image.width * image.height * frames > MAX_PIXELS:
        raise Refused(Fault.PIXELS)
    try:
        for frame in range(frames):
            image.seek(frame)
            image.load()
    except Image.DecompressionBombError:
        raise Refused(Fault.PIXELS) from None
    except _UNREADABLE:
        raise Refused(Fault.DAMAGED) from None
