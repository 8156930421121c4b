"""The attacks that `make soak` repeats: each is a selection of pytest's, run anew with a new seed.

A module of attacks offers a longer form by reading ``SOAK_SIZE``, a factor for how much it does;
hypothesis's examples are multiplied by it without any help.
"""

from typing import Final

import attrs


@attrs.frozen
class Attack:
    """One kind of attack.

    Attributes:
        name: what is attacked, in the words of the report.
        tests: the paths and options for pytest that select its tests.
    """

    name: str
    tests: tuple[str, ...]


ATTACKS: Final = (
    Attack("kills at every store write and request", ("tests/core/test_kills.py",)),
    Attack(
        "pauses and steps of the clock at every store write and request",
        ("tests/core/test_pauses.py",),
    ),
    Attack("damaged and foreign handles", ("tests/backends/freezer/test_handles.py",)),
    Attack("damaged receipts", ("tests/backends/freezer/test_receipts.py",)),
    Attack(
        "texts and fields of the agent's file", ("tests/backends/freezer/test_action_rules.py",)
    ),
    Attack("foreign documents and ids", ("tests/core/test_documents.py",)),
    Attack(
        "changed and unsigned documents",
        ("tests/core/test_signatures.py", "tests/cli/test_signed_documents.py"),
    ),
    Attack(
        "what is in the way of a directory's restore",
        ("tests/backends/freezer/directories", "tests/backends/freezer/test_agent_text.py"),
    ),
    Attack("forged data and notes in a storage", ("tests/backends/freezer/stored",)),
    Attack(
        "answers of backends that break the contract",
        ("tests/core/calls", "tests/core/test_backend.py", "tests/core/json_forms"),
    ),
    Attack("secrets in texts", ("tests/core/test_secrets.py",)),
    Attack("parameters and rows of Karbor", ("tests/karbor_glue/test_parameters.py",)),
    Attack(
        "texts, streams and encodings",
        ("tests/cli/test_text.py", "tests/cli/test_streams.py", "tests/cli/test_options.py"),
    ),
    Attack("faults of the service", ("tests/core/test_poller.py",)),
    Attack(
        "paused owners, faults of the store and steps of the clock",
        ("tests/core/test_driver.py", "tests/core/test_runner.py"),
    ),
    Attack(
        "leases, wrong clocks and processes on one store",
        (
            "tests/core/stores/test_processes.py",
            "tests/core/stores/test_clock.py",
            "tests/core/test_owners.py",
        ),
    ),
    Attack("restarts, crashes and deadlocks of PostgreSQL", ("tests/core/test_store_faults.py",)),
    Attack(
        "rows and equivalence of stores",
        ("tests/core/stores/test_equivalence.py", "tests/core/stores/test_sql.py"),
    ),
    Attack("bad input of the command", ("tests/cli/test_bad_input.py",)),
    Attack("odd arguments, files, documents and rows of the command", ("tests/cli/test_fuzz.py",)),
    Attack(
        "handles and ids that anybody may have written, on every backend that runs alone",
        ("tests/contract/test_conformance.py", "-k", "306 or 307"),
    ),
)
