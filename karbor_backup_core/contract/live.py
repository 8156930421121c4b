"""Benches of configured backends, for the command ``karbor-backup contract``.

A backend offers one by a class method::

    @classmethod
    def contract_bench(cls, configuration) -> AbstractContextManager[Bench]: ...

It gets the configuration as the constructor does. Each rule gets a bench of its own; what it makes
is named so that it is told from what others have, and is removed when the context ends.
"""

import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from karbor_backup_core.contract.bench import Bench
from karbor_backup_core.errors import Unsupported


def live_bench(
    name: str, plugin_class: Any, configuration: Mapping[str, Any]
) -> Callable[[], AbstractContextManager[Bench]]:
    """Answer what makes benches on the service that a configuration names.

    Args:
        name: the backend's configured name.
        plugin_class: the backend's class.
        configuration: its configuration, the secrets in it wrapped.

    Raises:
        Unsupported: the backend offers none.
    """
    offer = getattr(plugin_class, "contract_bench", None)
    if offer is None:
        raise Unsupported(
            f"backend {name} offers no bench for a live service: its class needs a class method "
            "contract_bench(configuration); run its own tests, or ask its author"
        )
    return functools.partial(offer, configuration)
