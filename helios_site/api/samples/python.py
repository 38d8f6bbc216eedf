"""Samples in Python with httpx."""

from __future__ import annotations

import json
import textwrap

from helios_site.api.samples.call import Call, pieces
from helios_site.api.samples.literals import PYTHON_WORDS, comment, written

_STEP = "    "


def write(call: Call) -> str:
    arguments = [_text(call.url)]
    if headers := {name: value for name, value in call.headers.items() if name != "content-type" or call.json is None}:
        arguments.append(f"headers={_headers(headers)}")
    if call.json is not None:
        arguments.append(f"json={written(call.json, PYTHON_WORDS, _STEP)}")
    elif call.form_field:
        arguments.append(f'files={{"{call.form_field}": ("{call.file}", Path("{call.file}").read_bytes())}}')
    elif call.file:
        arguments.append(f'content=Path("{call.file}").read_bytes()')
    inside = textwrap.indent("".join(f"{argument},\n" for argument in arguments), _STEP)
    called = f"httpx.{call.method.lower()}"
    made = f"{called}({arguments[0]})" if len(arguments) == 1 else f"{called}(\n{inside})"
    imports = "import os\n" + ("from pathlib import Path\n" if call.file or call.saved_as else "")
    shown = "print(response.status_code, response.text)\n"
    if call.saved_as:
        shown = f'Path("{call.saved_as}").write_bytes(response.raise_for_status().content)\n'
    return f"{comment(call.note, '#')}{imports}\nimport httpx  # pip install httpx\n\nresponse = {made}\n{shown}"


def _text(text: str) -> str:
    parts = list(pieces(text))
    if len(parts) == 1 and not parts[0][0]:
        return f'os.environ["{parts[0][1]}"]'
    if not any(variable for _, variable in parts):
        return json.dumps(text)
    inside = "".join(said + (f"{{os.environ['{variable}']}}" if variable else "") for said, variable in parts)
    return f'f"{inside}"'


def _headers(headers: dict[str, str]) -> str:
    items = [f'"{name}": {_text(value)}' for name, value in headers.items()]
    if len(items) == 1:
        return f"{{{items[0]}}}"
    return "{\n" + textwrap.indent("".join(f"{item},\n" for item in items), _STEP) + "}"
