"""The WSGI entry point: `gunicorn helios_site.wsgi`."""

import os
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")


class Request(WSGIRequest):
    """Queries and forms are UTF-8, whatever charset the body is said to have.

    Django's own would decode the query by that charset while it is being made, before any code of ours runs. A charset
    that is none for texts (`rot13`), or too many parameters, would make the server answer in our place, and write the
    whole address, query included, into its log.
    """

    def _set_content_type_params(self, meta: Any) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


application = get_wsgi_application()
application.request_class = Request
