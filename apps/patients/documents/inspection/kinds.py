"""The four kinds of files, by the bytes that they begin with."""

from __future__ import annotations

# The canonical extension of a kind, and all that it goes by.
EXTENSIONS = {"pdf": ("pdf",), "jpg": ("jpg", "jpeg"), "png": ("png",), "docx": ("docx",)}
FILE_TYPES = tuple(extension for extensions in EXTENSIONS.values() for extension in extensions)
MEDIA_TYPES = {
    "pdf": "application/pdf",
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
}
SIGNATURE_BYTES = 8
_SIGNATURES = {
    b"%PDF-": "pdf",
    b"\xff\xd8\xff": "jpg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"PK\x03\x04": "docx",  # any ZIP archive, so far
}


def kind_of(head: bytes) -> str | None:
    """What a file that begins so may be; None for nothing that is accepted."""
    return next((kind for signature, kind in _SIGNATURES.items() if head.startswith(signature)), None)
