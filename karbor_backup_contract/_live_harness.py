"""Benches of configured backends, for the command ``karbor-backup contract``.

A backend offers one by a class method::

    @classmethod
    def contract_harness(cls, configuration) -> AbstractContextManager[Harness]: ...

It gets the configuration as the constructor does. Each rule gets a harness of its own; what
it makes is named so that it is told from what others have, and is removed when the context ends.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from karbor_backup_contract.harness import Harness
from karbor_backup_core import Unsupported


def live_harness_factory(
    name: str, plugin_class: Any, configuration: Mapping[str, Any]
) -> Callable[[], AbstractContextManager[Harness]]:
    """Return what makes harnesses on the service that a configuration names.

    Args:
        name: the backend's configured name.
        plugin_class: the backend's class.
        configuration: its configuration, the secrets in it wrapped.

    Raises:
        Unsupported: the backend offers none.
    """
    offer = getattr(plugin_class, "contract_harness", None)
    if offer is None:
        raise Unsupported(
            f"backend {name} offers no harness for a live service: its class needs a class method "
            "contract_harness(configuration); run its own tests, or ask its author"
        )
    return functools.partial(offer, configuration)
