"""Samples in JavaScript with `fetch`, as a module of Node.js."""

from __future__ import annotations

import json
import textwrap

from helios_site.api.samples.call import Call
from helios_site.api.samples.literals import JSON_WORDS, comment, mapping, with_variables, written

_STEP = "  "


def write(call: Call) -> str:
    options = [] if call.method == "GET" else [f'method: "{call.method}"']
    if call.headers:
        options.append(f"headers: {_headers(call.headers)}")
    before, names = "", []
    if call.json is not None:
        options.append(f"body: JSON.stringify({written(call.json, JSON_WORDS, _STEP)})")
    elif call.form_field:
        names.append("readFile")
        before = (
            "const form = new FormData();\n"
            f'form.append("{call.form_field}", new Blob([await readFile("{call.file}")]), "{call.file}");\n\n'
        )
        options.append("body: form")
    elif call.file:
        names.append("readFile")
        options.append(f'body: await readFile("{call.file}")')
    shown = "console.log(response.status, await response.text());\n"
    if call.saved_as:
        names.append("writeFile")
        shown = (
            "if (!response.ok) throw new Error(await response.text());\n"
            f'await writeFile("{call.saved_as}", Buffer.from(await response.arrayBuffer()));\n'
        )
    imports = f'import {{ {", ".join(names)} }} from "node:fs/promises";\n\n' if names else ""
    inside = textwrap.indent("".join(f"{option},\n" for option in options), _STEP)
    arguments = f"{_text(call.url)}, {{\n{inside}}}" if options else _text(call.url)
    return f"{comment(call.note, '//')}{imports}{before}const response = await fetch({arguments});\n{shown}"


def _text(text: str) -> str:
    return with_variables(text, alone="process.env.NAME", within="${process.env.NAME}", quotes=("`", "`"))


def _headers(headers: dict[str, str]) -> str:
    items = [f"{json.dumps(name) if '-' in name else name}: {_text(value)}" for name, value in headers.items()]
    return mapping(items, _STEP, " ")
