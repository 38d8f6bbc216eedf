"""The mails of an installation without a mail server, which its processes print into their logs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 0.5
# As Django's console backend prints one: headers, an empty line, the text, a line of 79 dashes.
MAIL = re.compile(
    rb"^Subject: (?P<subject>.*)\n(?:.+\n)*?To: (?P<to>.*)\n(?:.+\n)*\n(?P<text>(?:.*\n)*?)-{79}\n", re.MULTILINE
)


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
            told = 0
            for mail in MAIL.finditer(new):
                told = mail.end()
                subject, to, text = (mail[name].decode(errors="replace").strip() for name in ("subject", "to", "text"))
                self._say(f"\nMail to {to}: {subject}\n\n{text}\n")
            half = new.find(b"\nSubject: ", told)  # the rest of this one is still to come
            self._read[log] = start + (half if half >= 0 else new.rfind(b"\n") + 1)
