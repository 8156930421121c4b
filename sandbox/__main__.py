"""The command `python -m sandbox`."""

import sys

from sandbox.missing_libraries import describe_missing_library

try:
    from sandbox.cli import main
except ImportError as missing:
    sys.exit(describe_missing_library(missing, "sandbox"))

main()
