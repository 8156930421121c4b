"""Runs pytest as Karbor's daemons run: patched by eventlet before anything else is imported."""

import os
import sys
import warnings

warnings.simplefilter("ignore")

import eventlet  # noqa: E402

eventlet.monkey_patch()

import pytest  # noqa: E402

sys.exit(
    pytest.main(["-c", os.devnull, "--noconftest", "-p", "no:cacheprovider", "-q", *sys.argv[1:]])
)
