"""Karbor's fullstack tests of restores, unchanged; run in Karbor's environment."""

import fullstack_common  # noqa: F401 - replaces before the tests are loaded
from karbor.tests.fullstack.test_restores import RestoresTest  # noqa: F401 - collected here
