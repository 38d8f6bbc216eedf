"""Samples in Python with httpx."""

from __future__ import annotations

import textwrap

from helios_site.api.samples.call import Call
from helios_site.api.samples.literals import PYTHON_WORDS, comment, mapping, with_variables, written

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
    return with_variables(text, alone='os.environ["NAME"]', within="{os.environ['NAME']}", quotes=('f"', '"'))


def _headers(headers: dict[str, str]) -> str:
    return mapping([f'"{name}": {_text(value)}' for name, value in headers.items()], _STEP, "")
