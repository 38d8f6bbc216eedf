"""The web server's application as it is, with one header more: which worker process answered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from helios_site.wsgi import application as served

HEADER = "X-Worker"


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
        return start_response(status, [*headers, (HEADER, str(os.getpid()))], *rest)

    answer: Iterable[bytes] = served(environ, start)
    return answer
