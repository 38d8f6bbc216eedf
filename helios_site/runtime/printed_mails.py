"""The mails of an installation without a mail server, which its processes print into their logs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from email import message_from_bytes
from email.policy import default
from pathlib import Path

LOOK_SECONDS = 0.5
MOST_BYTES = 65_536  # of a mail that is half printed
# As Django's console backend prints a mail: headers, an empty line, the text, a line of 79 dashes.
END = re.compile(rb"^-{79}\n", re.MULTILINE)
HEADERS = re.compile(rb"^Content-Type: text/plain", re.MULTILINE)


class PrintedMails:
    """Says each mail that is printed from now on, once."""

    def __init__(self, logs: Path, say: Callable[[str], None]) -> None:
        self._logs, self._say = logs, say
        self._read = {log: log.stat().st_size for log in logs.glob("*.log")}

    def follow(self, ended: Callable[[], bool]) -> None:
        """Until `ended`."""
        while not ended():
            self.look()
            time.sleep(LOOK_SECONDS)

    def look(self) -> None:
        for log in self._logs.glob("*.log"):
            start = self._read.get(log, 0)
            if log.stat().st_size < start:
                start = 0  # it was emptied
            with log.open("rb") as file:
                file.seek(start)
                new = file.read()
            *ended, half = END.split(new)
            for printed in ended:
                self._tell(printed)
            self._read[log] = start + len(new) - min(len(half), MOST_BYTES)

    def _tell(self, printed: bytes) -> None:
        """The mail that ends what was printed, if there is one: other lines may stand before it."""
        start = HEADERS.search(printed)
        if start is None:
            return
        mail = message_from_bytes(printed[start.start() :], policy=default)
        if mail["To"] and mail["Subject"]:
            self._say(f"\nMail to {mail['To']}: {str(mail['Subject']).strip()}\n\n{mail.get_content().strip()}\n")
