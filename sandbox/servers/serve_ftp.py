"""Serves a directory over FTP, and over FTP with TLS when there is a certificate, on loopback.

usage: serve_ftp.py PORT DIRECTORY USER [CERTIFICATE]

Runs in an environment with pyftpdlib. The password is in the environment variable FTP_PASSWORD.
"""

import importlib
import os
import sys

HOST = "127.0.0.1"
EVERYTHING = "elradfmwMT"


def main(port: str, directory: str, user: str, certificate: str | None = None) -> None:
    """Serve until the process is ended."""
    authorizers = importlib.import_module("pyftpdlib.authorizers")
    handlers = importlib.import_module("pyftpdlib.handlers")
    servers = importlib.import_module("pyftpdlib.servers")
    handler = handlers.FTPHandler
    if certificate is not None:
        handler = handlers.TLS_FTPHandler
        handler.certfile = certificate
        handler.tls_control_required = True
    handler.authorizer = authorizers.DummyAuthorizer()
    handler.authorizer.add_user(user, os.environ["FTP_PASSWORD"], directory, perm=EVERYTHING)
    servers.FTPServer((HOST, int(port)), handler).serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
