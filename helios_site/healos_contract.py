"""What the Healos contract leaves open, and how Helios decides it: one name each. A part of `settings`."""

from __future__ import annotations

HEALOS_ERROR_TEXTS = {
    400: "Bad request",
    401: "Invalid or expired API key",
    403: "Insufficient scope",
    404: "Not found",
    405: "Method not allowed",
    412: "Version conflict",
    429: "Rate limit exceeded",
    500: "Internal server error",
    507: "Insufficient storage. Please try again later",
    "missing_key": "Missing API key",
    "external_id": "external_id already exists",
    "patient": "Patient not found",
    "appointment": "Appointment not found",
    "document": "Document not found",
    "note": "Note not found",
    "session": "Session not found",
    "export": "Export not found",
}
HEALOS_DELETE_STATUS = 200
HEALOS_MAX_LIMIT = 100
HEALOS_TOTAL_PAGES_EMPTY = 0
HEALOS_ORDERING = {
    "patients": ("-created_at", "-id"),
    "appointments": ("start_at", "id"),
    "documents": ("-created_at", "-id"),
    "notes": ("-created_at", "-id"),
}
HEALOS_MAX_CHARS = {"short": 255, "notes": 100_000}  # names, pronouns, types; notes
HEALOS_APPOINTMENT_DEFAULTS = {
    "appointment_type": "Other",
    "visit_type": "Other",
    "duration_minutes": 50,
    "notes": "",
    "status": "SCHEDULED",
    "repeat_rule": None,
}
HEALOS_REPEAT_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
HEALOS_DOCUMENT_MAX_BYTES = 10 * 2**20
HEALOS_DOCUMENT_STATUSES = ("pending", "ready", "failed")
HEALOS_DOCUMENT_LIST_META = True  # the list of documents has `meta`, as the other lists
HEALOS_NOTES_EXPORT = True  # `/notes/export` exists: pages of whole notes
HEALOS_IMPORT_MAX_BYTES = 50 * 2**20
HEALOS_IMPORT_MAX_LINE_BYTES = 2**20
PATIENT_CASCADE = ("appointments", "documents", "clinical_notes")  # go, and come back, with their patient
HEALOS_EXPORT_DAYS = 7  # how long the archive of a patient's data is kept
HEALOS_EXPORT_URL_TTL_SECONDS = 900  # of a link to it, which is all that a download needs
