"""What a sample sends, whatever the language."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

from django.conf import settings

from helios_site.api.families.schema import EXAMPLE_UUID, Schema

_JSON, _FORM, _FHIR = "application/json", "multipart/form-data", "application/fhir+json"
# The file that is sent where a body is one, by media type.
_FILES = {_FORM: "letter.pdf", "application/x-ndjson": "records.ndjson", "application/octet-stream": "recording.wav"}
# Operations whose whole URL stands in an earlier reply, signed.
_LINKS = {
    "upload": ("HELIOS_UPLOAD_URL", "the `recordingUploadUrl` that the create answered. It needs no key."),
    "documents_download": ("HELIOS_DOCUMENT_URL", "a `public_url` of the document. It needs no key."),
}
_SESSION_NOTE = (
    "An API key cannot do this. Sign in at $HELIOS_URL/login as an admin, and copy from your browser into the "
    "environment: {}."
)


@dataclass(frozen=True)
class Call:
    """A request. `$NAME` in `url` and in the values of `headers` means the environment variable of that name."""

    method: str
    url: str
    note: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    json: Any = None
    file: str = ""  # the body, or the part `form_field` of a form
    form_field: str = ""
    saved_as: str = ""  # where the reply goes; else it is printed


def call_of(path: str, method: str, operation: Schema, schemes: Schema) -> Call:
    """The least that `operation` takes: required parameters, and the first example of a JSON body.

    Raises ValueError for an operation that lacks an example: one has to be described with it.
    """
    note, headers, saved_as = "", {}, ""
    if operation["operationId"] in _LINKS:
        variable, said = _LINKS[operation["operationId"]]
        url, note = f"${variable}", f"{variable} is {said}"
        saved_as = "document" if method == "get" else ""
    else:
        url = f"$HELIOS_URL{_path(path, operation)}"
    [security] = operation.get("security") or [{}]
    if "apiKey" in security:
        headers[schemes["apiKey"]["name"]] = "$HELIOS_KEY"
    elif "session" in security:
        note, headers = _session(schemes["session"]["name"], method)
    if _FHIR in operation["responses"].get("200", {}).get("content", {}):
        headers["accept"] = _FHIR
    body = _body(f"{method} {path}", operation)
    headers |= body.pop("headers", {})
    return Call(method.upper(), url, note, headers, saved_as=saved_as, **body)


def _path(path: str, operation: Schema) -> str:
    query = {}
    for parameter in operation.get("parameters", ()):
        if not parameter.get("required"):
            continue
        name = parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", quote(_value(parameter["schema"])))
        else:
            query[name] = _value(parameter["schema"])
    return f"{path}?{urlencode(query)}" if query else path


def _value(schema: Schema) -> str:
    """An example of a required parameter. Raises ValueError where the schema gives none."""
    known = [*schema.get("examples", ()), *schema.get("enum", ())]
    if not known and schema.get("format") != "uuid":
        raise ValueError(f"A required parameter needs `examples` in its schema, which is {schema}.")
    return str(known[0]) if known else EXAMPLE_UUID


def _session(cookie: str, method: str) -> tuple[str, dict[str, str]]:
    if method == "get":
        return _SESSION_NOTE.format(f"the cookie {cookie} as HELIOS_SESSION"), {"cookie": f"{cookie}=$HELIOS_SESSION"}
    token = settings.CSRF_COOKIE_NAME
    cookies = f"the cookies {cookie} as HELIOS_SESSION and {token} as HELIOS_CSRF_TOKEN"
    return _SESSION_NOTE.format(cookies), {
        "cookie": f"{cookie}=$HELIOS_SESSION; {token}=$HELIOS_CSRF_TOKEN",
        "x-csrftoken": "$HELIOS_CSRF_TOKEN",
        "origin": "$HELIOS_URL",
    }


def _body(name: str, operation: Schema) -> dict[str, Any]:
    """The fields of a call that say what it carries."""
    if "requestBody" not in operation:
        return {}
    [(media_type, content)] = operation["requestBody"]["content"].items()
    if media_type == _JSON:
        if not content.get("examples"):
            raise ValueError(f"{name} needs an example of its body: see `example` in families/schema.py.")
        first = next(iter(content["examples"].values()))
        return {"headers": {"content-type": media_type}, "json": first["value"]}
    if media_type == _FORM:
        [form_field] = content["schema"]["required"]
        return {"file": _FILES[media_type], "form_field": form_field}
    headers = {} if media_type == "application/octet-stream" else {"content-type": media_type}
    return {"headers": headers, "file": _FILES[media_type]}
