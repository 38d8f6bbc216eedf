"""The version of the client. It changes when the client does, not with the server's."""

__version__ = "0.1.0"
