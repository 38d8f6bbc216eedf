"""The mails of an installation without a mail server, which its processes print into their logs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

LOOK_SECONDS = 0.5
MOST_BYTES = 65_536  # of a mail that is half printed
# As Django's console backend prints a mail: headers, an empty line, the text, a line of 79 dashes.
END = re.compile(rb"^-{79}\n", re.MULTILINE)
SUBJECT, TO = (re.compile(rb"^%s: (.*)$" % name, re.MULTILINE) for name in (b"Subject", b"To"))


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
        blocks = printed.split(b"\n\n")
        for number, block in enumerate(blocks):
            to, subjects = TO.findall(block), SUBJECT.findall(block)
            if to and subjects:
                text = b"\n\n".join(blocks[number + 1 :])
                said = [part.decode(errors="replace").strip() for part in (to[-1], subjects[-1], text)]
                self._say("\nMail to {}: {}\n\n{}\n".format(*said))
                return
