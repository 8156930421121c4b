"""Karbor's fullstack tests of restores, run in Karbor's environment.

By the type of each resource in a restore's record, the tests look up in which statuses it can be
deleted. They know volumes and servers only. Karbor's own plugin of networks puts none into the
record; this one does.
"""

import fullstack_common  # noqa: F401 - replaces before the tests are loaded
from karbor.tests.fullstack import test_restores

test_restores.DELETABLE_STATUS["network_deletable_status"] = []

RestoresTest = test_restores.RestoresTest
