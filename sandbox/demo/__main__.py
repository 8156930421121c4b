"""``python -m sandbox.demo``, which is ``make demo``."""

import sys

from sandbox.needs import describe_missing

try:
    from sandbox.demo.story import work_folder
    from sandbox.demo.telling import ROOT, demonstrate
except ImportError as missing:
    sys.exit(describe_missing(missing, "demo"))

sys.exit(demonstrate("demo", work_folder(ROOT)))
