"""Karbor's fullstack tests of plans, unchanged; run in Karbor's environment."""

import fullstack_common  # noqa: F401 - replaces before the tests are loaded
from karbor.tests.fullstack.test_plans import PlansTest  # noqa: F401 - collected here
