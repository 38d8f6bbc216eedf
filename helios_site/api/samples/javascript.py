"""Samples in JavaScript with `fetch`, as a module of Node.js."""

from __future__ import annotations

import json
import textwrap

from helios_site.api.samples.call import Call, pieces
from helios_site.api.samples.literals import JSON_WORDS, comment, written

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
    parts = list(pieces(text))
    if len(parts) == 1 and not parts[0][0]:
        return f"process.env.{parts[0][1]}"
    if not any(variable for _, variable in parts):
        return json.dumps(text)
    return f"`{''.join(said + (f'${{process.env.{variable}}}' if variable else '') for said, variable in parts)}`"


def _headers(headers: dict[str, str]) -> str:
    items = [f"{json.dumps(name) if '-' in name else name}: {_text(value)}" for name, value in headers.items()]
    if len(items) == 1:
        return f"{{ {items[0]} }}"
    return "{\n" + textwrap.indent("".join(f"{item},\n" for item in items), _STEP) + "}"
