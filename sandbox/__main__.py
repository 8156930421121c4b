"""The command `python -m sandbox`."""

import sys

from sandbox.needs import describe_missing

try:
    from sandbox.cli import main
except ImportError as missing:
    sys.exit(describe_missing(missing, "sandbox"))

main()
