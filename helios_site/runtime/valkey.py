"""The embedded Valkey: a Unix socket, a password, and an append-only file that outlives a crash."""

from __future__ import annotations

import signal
import socket
import subprocess
from pathlib import Path

from helios_site.runtime import server_process
from helios_site.runtime.binaries import ServiceUser, own, valkey_server
from helios_site.runtime.datadir import VALKEY_SOCKET, secrets, socket_dir


class ValkeyServer:
    """Valkey on `valkey/` of a data directory. `fsync=False` is for data that may be lost: tests."""

    name = "valkey"
    title = "Valkey"

    def __init__(self, folder: Path, user: ServiceUser, *, fsync: bool = True) -> None:
        self.data = folder / "valkey"
        self.log = folder / "logs" / "valkey.log"
        self.process: subprocess.Popen[bytes] | None = None
        self._folder = folder
        self._user = user
        self._fsync = fsync
        self._socket = socket_dir(folder) / VALKEY_SOCKET

    def start(self) -> None:
        """Start; `wait_ready` tells when commands are answered."""
        program = valkey_server(self._folder)
        own(self.data, self._user)
        server_process.clear_out(self.data, signal.SIGTERM)
        # The configuration goes through a pipe: on the command line every user could read the password.
        self.process = server_process.guarded(
            [str(program), "-"],
            self._user,
            signal.SIGTERM,
            self.data,
            self.log,
            self._configuration().encode(),
        )

    def wait_ready(self) -> None:
        """Return once the append-only file is loaded and commands are answered; raises ServerError."""
        assert self.process is not None
        server_process.wait_until(self._ready, self.process, 60.0, "Valkey", self.log)

    def stop(self) -> None:
        """Shut down with the append-only file written out."""
        if self.process is not None:
            server_process.stop(self.process, signal.SIGTERM, signal.SIGTERM, 10.0)

    def _configuration(self) -> str:
        lines = [
            "port 0",
            f'unixsocket "{self._socket}"',
            "unixsocketperm 700",
            f"requirepass {secrets(self._folder).valkey_password}",
            f'dir "{self.data}"',
            "appendonly yes",
            f"appendfsync {'everysec' if self._fsync else 'no'}",
            'save ""',
            "maxmemory-policy noeviction",  # a queue may refuse work, never forget it
            "daemonize no",
            'logfile ""',
        ]
        return "\n".join(lines) + "\n"

    def _ready(self) -> bool:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
            client.settimeout(1.0)
            try:
                client.connect(str(self._socket))
                client.sendall(f"AUTH {secrets(self._folder).valkey_password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\n") < 2:
                    part = client.recv(256)
                    if not part:
                        return False
                    answer += part
            except OSError:
                return False
        return answer == b"+OK\r\n+PONG\r\n"
