"""The attacks that `make soak` repeats: each is a selection of pytest's, run anew with a new seed.

A module of attacks offers a longer form by reading ``SOAK_SIZE``, a factor for how much it does;
hypothesis's examples are multiplied by it without any help.
"""

from typing import Final

import attrs


@attrs.frozen
class Suite:
    """One kind of attack.

    Attributes:
        name: what is attacked, in the words of the report.
        tests: the paths and options for pytest that select its tests.
    """

    name: str
    tests: tuple[str, ...]


SUITES: Final = (
    Suite(
        "kills at every store write and request",
        ("tests/core/test_crashes.py", "tests/core/execution/test_kills.py"),
    ),
    Suite(
        "pauses and steps of the clock at every store write and request",
        ("tests/core/test_pauses.py",),
    ),
    Suite("damaged and foreign handles", ("tests/backends/freezer/model/test_handle.py",)),
    Suite("damaged receipts", ("tests/backends/freezer/model/test_receipt.py",)),
    Suite(
        "texts and fields of the agent's file",
        ("tests/backends/freezer/agent/test_action_validation.py",),
    ),
    Suite("foreign documents and ids", ("tests/core/test_documents.py",)),
    Suite(
        "changed and unsigned documents",
        ("tests/core/test_signatures.py", "tests/cli/test_signed_documents.py"),
    ),
    Suite(
        "what is in the way of a directory's restore",
        ("tests/backends/freezer/directories", "tests/backends/freezer/agent/test_escaping.py"),
    ),
    Suite("forged data and notes in a storage", ("tests/backends/freezer/inspection",)),
    Suite(
        "answers of backends that break the contract",
        ("tests/core/hooks", "tests/core/test_backend.py", "tests/core/serialization"),
    ),
    Suite("secrets in texts", ("tests/core/test_secrets.py",)),
    Suite("parameters and rows of Karbor", ("tests/karbor_glue/test_parameters.py",)),
    Suite(
        "texts, streams and encodings",
        ("tests/cli/test_formatting.py", "tests/cli/test_streams.py", "tests/cli/test_options.py"),
    ),
    Suite("faults of the service", ("tests/core/execution/test_poller.py",)),
    Suite(
        "paused owners, faults of the store and steps of the clock",
        (
            "tests/core/execution/test_driver.py",
            "tests/core/execution/test_lost_replies.py",
            "tests/core/execution/test_runner.py",
        ),
    ),
    Suite(
        "leases, wrong clocks and processes on one store",
        (
            "tests/core/stores/test_processes.py",
            "tests/core/stores/test_lease_clock.py",
            "tests/core/test_owners.py",
        ),
    ),
    Suite(
        "restarts, crashes and deadlocks of PostgreSQL",
        ("tests/core/execution/test_store_outages.py",),
    ),
    Suite("workers: kills, pauses and outages", ("tests/scale",)),
    Suite(
        "rows and equivalence of stores",
        (
            "tests/core/stores/test_equivalence.py",
            "tests/core/stores/test_lease_model.py",
            "tests/core/stores/test_sql.py",
        ),
    ),
    Suite("bad input of the command", ("tests/cli/test_bad_input.py",)),
    Suite("odd arguments, files, documents and rows of the command", ("tests/cli/test_fuzz.py",)),
    Suite(
        "handles and ids that anybody may have written, on every backend that runs alone",
        ("tests/contract/test_conformance.py", "-k", "306 or 307"),
    ),
    Suite(
        "every request and step of a hook, on every backend that runs alone",
        (
            "tests/contract/test_conformance.py",
            "tests/e2e/restic/test_contract.py",
            "--contract-exhaustive",
            "-k",
            "410 or 412 or 413 or 501 or 610 or 611",
        ),
    ),
)
