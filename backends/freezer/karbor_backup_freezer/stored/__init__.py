"""What a protect has really stored: looked at, and judged.

- ``data``: the way in: looks at the pieces of a protect.
- ``judgement``: what can be said of the backup by what was seen.
- ``measure``, ``layout``: what is looked at, and where the agent puts it.
- ``archive``, ``contents``, ``readings``: what a directory's archive holds.
- ``reader`` and a module for each kind of storage: how it is looked at.
"""

from karbor_backup_freezer.stored.data import StoredData
from karbor_backup_freezer.stored.judgement import Judgement, judge
from karbor_backup_freezer.stored.layout import Place
from karbor_backup_freezer.stored.measure import Measured

__all__ = ["Judgement", "Measured", "Place", "StoredData", "judge"]
