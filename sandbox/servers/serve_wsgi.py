"""Serves a WSGI application on loopback over HTTP/1.1, so that clients can keep their connections.

usage: serve_wsgi.py MODULE PORT THREADS [ARGUMENT...]

Runs in a servers' environment. MODULE has the `application`; it sees the ARGUMENTs as its own
command line, since Keystone and Freezer parse theirs when they are imported.
"""

import importlib
import logging
import sys

HOST = "127.0.0.1"
CONNECTIONS = 1000
LARGEST_BODY = 1 << 40
RECEIVED_AT_ONCE = 1 << 18


def main() -> None:
    """Serve until the process is ended."""
    name, module, port, threads, *arguments = sys.argv
    sys.argv = [name, *arguments]
    application = importlib.import_module(module).application
    waitress = importlib.import_module("waitress")
    # With one thread every request that comes while another is dealt with would be a warning.
    logging.getLogger("waitress.queue").setLevel(logging.ERROR)
    waitress.serve(
        application,
        host=HOST,
        port=int(port),
        threads=int(threads),
        connection_limit=CONNECTIONS,
        # Images are large: waitress would refuse them, and take them in pieces of 8 KiB.
        max_request_body_size=LARGEST_BODY,
        recv_bytes=RECEIVED_AT_ONCE,
        ident=None,
    )


if __name__ == "__main__":
    main()
