"""The version of the distribution, and the version of the contract that this core speaks."""

from typing import Final

__version__ = "0.1.0"
"""The version of this distribution."""

CONTRACT_VERSION: Final = "1.1"
"""Backends name the contract version they were written for in ``BackendInfo.contract``."""
