"""Samples for a shell with curl."""

from __future__ import annotations

from shlex import quote

from helios_site.api.samples.call import Call
from helios_site.api.samples.literals import JSON_WORDS, comment, written


def write(call: Call) -> str:
    options = [f'--header "{name}: {value}"' for name, value in call.headers.items()]
    implied = "GET"
    if call.json is not None:
        implied = "POST"
        options.append(f"--data {quote(written(call.json, JSON_WORDS, '  '))}")
    elif call.form_field:
        implied = "POST"
        options.append(f"--form {call.form_field}=@{call.file}")
    elif call.file and call.method == "PUT":
        implied = "PUT"
        options.append(f"--upload-file {call.file}")
    elif call.file:
        implied = "POST"
        options.append(f"--data-binary @{call.file}")
    if call.saved_as:
        options.append(f"--output {call.saved_as}")
    if call.method != implied:
        options.insert(0, f"--request {call.method}")
    url = f'"{call.url}"'
    if len(options) < 2:
        return comment(call.note, "#") + " ".join(["curl", *options, url]) + "\n"
    return comment(call.note, "#") + "curl " + " \\\n  ".join([*options, url]) + "\n"
