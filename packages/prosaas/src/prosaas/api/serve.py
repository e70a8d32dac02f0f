"""Serve the API until told to stop."""

from __future__ import annotations

import errno
import socket

import uvicorn

from prosaas.api.app import create_app
from prosaas.errors import PortInUse
from prosaas.settings import Settings


def serve(settings: Settings) -> None:
    """Serve on HOST and PORT until SIGTERM or SIGINT.

    Raises:
        PortInUse: Another program listens there.
    """
    app = create_app(settings)
    with listen(settings) as listener:
        config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=10)
        uvicorn.Server(config).run(sockets=[listener])


def listen(settings: Settings) -> socket.socket:
    """A socket that listens on HOST and PORT.

    Raises:
        PortInUse: Another program listens there.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        listener.listen(1)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host=settings.host, port=settings.port) from None
        raise
    return listener
