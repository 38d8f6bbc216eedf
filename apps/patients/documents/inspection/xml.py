"""Reading XML without building a tree of it, without entities and without a document type."""

from __future__ import annotations

from collections.abc import Callable
from typing import IO
from xml.etree.ElementTree import ParseError

from defusedxml import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import XMLParser  # type: ignore[import-untyped]

from apps.patients.documents.inspection.faults import Fault, Refused

PIECE_BYTES = 64 * 1024

See = Callable[[str, dict[str, str]], None]


class _Elements:
    """What the parser tells of the file goes by; only the beginnings of elements are looked at."""

    def __init__(self, see: See) -> None:
        self.start = see

    def close(self) -> None: ...


def read_xml(part: IO[bytes], see: See) -> None:
    """Call `see` with tag and attributes of each element. Raises Refused, and what reading the part raises."""
    parser = XMLParser(target=_Elements(see), forbid_dtd=True)
    while piece := part.read(PIECE_BYTES):
        _feed(parser, piece)
    _feed(parser, None)


def _feed(parser: XMLParser, piece: bytes | None) -> None:
    try:
        parser.close() if piece is None else parser.feed(piece)
    except (ParseError, DefusedXmlException, LookupError, ValueError):  # the latter two: an encoding of another world
        raise Refused(Fault.XML) from None
