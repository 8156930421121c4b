"""Serves a WSGI application on loopback over HTTP/1.1, so that clients can keep their connections.

usage: serve_wsgi.py MODULE PORT THREADS [ARGUMENT...]

Runs in a servers' environment. MODULE has the `application`; it sees the ARGUMENTs as its own
command line, since Keystone and Freezer parse theirs when they are imported.
"""

import importlib
import sys

HOST = "127.0.0.1"
CONNECTIONS = 1000


def main() -> None:
    """Serve until the process is ended."""
    name, module, port, threads, *arguments = sys.argv
    sys.argv = [name, *arguments]
    application = importlib.import_module(module).application
    waitress = importlib.import_module("waitress")
    waitress.serve(
        application,
        host=HOST,
        port=int(port),
        threads=int(threads),
        connection_limit=CONNECTIONS,
        ident=None,
    )


if __name__ == "__main__":
    main()
