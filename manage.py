#!/usr/bin/env python
"""Django's command line for Helios."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "helios_site.settings")
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    from helios_site.runtime.datadir import DataDirError

    try:
        execute_from_command_line(sys.argv)
    except (ImproperlyConfigured, DataDirError) as error:
        sys.exit(f"Helios cannot start: {error}")


if __name__ == "__main__":
    main()
