"""What the tests of the glue share."""

from tests.karbor_glue.fixtures import newest_karbor, shared

__all__ = ["newest_karbor", "shared"]
