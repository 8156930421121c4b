"""``python -m examples.demo``, which is ``make demo``."""

import sys

from sandbox.missing_libraries import describe_missing_library

try:
    from examples.demo.run import ROOT, run_demo
    from examples.demo.steps import work_folder
except ImportError as missing:
    sys.exit(describe_missing_library(missing, "demo"))

sys.exit(run_demo("demo", work_folder(ROOT)))
