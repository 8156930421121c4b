"""What the tests of the glue share."""

from tests.support.karbor_environments import newest_karbor, shared

__all__ = ["newest_karbor", "shared"]
