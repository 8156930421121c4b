"""The names of the peers, in the report's words."""

from typing import Final

LOOP: Final = "hand-written loop"
KARBOR: Final = "Karbor's own plugin"
