"""The WSGI entry point: `gunicorn helios_site.wsgi`."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
application = get_wsgi_application()
