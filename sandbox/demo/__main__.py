"""``python -m sandbox.demo``, which is ``make demo``."""

import sys

from sandbox.demo.story import work_folder
from sandbox.demo.telling import ROOT, demonstrate

sys.exit(demonstrate("demo", work_folder(ROOT)))
