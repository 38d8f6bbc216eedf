"""Code that makes each call of the API description, in curl, Python and JavaScript, made from the description itself.

It stands in the description as `x-codeSamples`, which several readers of OpenAPI show. A sample is whole: it takes the
address and the key from the environment (`HELIOS_URL`, `HELIOS_KEY`), and prints what Helios answers.
"""

from __future__ import annotations

from typing import Any

from helios_site.api.families.schema import Schema
from helios_site.api.samples import curl, javascript, python
from helios_site.api.samples.call import call_of

_LANGUAGES = (
    ("Shell", "curl", curl.write),
    ("Python", "Python", python.write),
    ("JavaScript", "JavaScript", javascript.write),
)


def describe_samples(result: Schema, generator: Any, request: Any, public: bool) -> Schema:
    """drf-spectacular hook, after those that describe the operations: samples of every operation."""
    schemes = result["components"]["securitySchemes"]
    for path, operations in result["paths"].items():
        for method, operation in operations.items():
            call = call_of(path, method, operation, schemes)
            operation["x-codeSamples"] = [
                {"lang": language, "label": label, "source": write(call)} for language, label, write in _LANGUAGES
            ]
    return result
