"""How an API of OpenStack is served in the sandbox."""

from pathlib import Path

_SERVE = Path(__file__).parent / "servers" / "serve_wsgi.py"


def wsgi_server_command(
    python: Path, module: str, port: int, *arguments: str, threads: int
) -> list[str]:
    """Return the command that serves a WSGI application, over HTTP/1.1 with connections kept alive.

    Args:
        python: the interpreter of the environment that the application is installed in.
        module: has the `application`.
        port: where to listen on loopback.
        arguments: what the application sees as its command line.
        threads: how many requests are dealt with at a time.
    """
    # -P keeps the script's own directory off the module path.
    return [str(python), "-P", str(_SERVE), module, str(port), str(threads), *arguments]
