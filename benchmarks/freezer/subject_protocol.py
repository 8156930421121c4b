"""What a subject is asked to do and what it answers; known also to the peers' environments."""

import json
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import requests


@attrs.define
class VerbResult:
    """What a subject says of its operations with one verb.

    Attributes:
        verb: which.
        known: when it knew that a job had ended, in seconds since 1970, by the job's id.
        requests: how many it sent to Freezer, by method and collection.
        cpu: seconds of processor time.
        wall: seconds.
    """

    verb: str
    known: dict[str, float] = attrs.field(factory=dict)
    requests: Counter[str] = attrs.field(factory=Counter)
    cpu: float = 0.0
    wall: float = 0.0

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "VerbResult":
        """Read what `SubjectSession` has written."""
        return cls(**{**document, "requests": Counter(document["requests"])})


class SubjectSession:
    """A subject's request, and its answers to it.

    Requests to Freezer are counted where all clients send them: in ``requests``.
    """

    def __init__(self) -> None:
        self.request: Mapping[str, Any] = json.load(sys.stdin)
        self._results: list[VerbResult] = []
        self._requests = count_requests(self.request["endpoint"])

    def measure_verb(self, verb: str, do: Callable[[dict[str, float]], None]) -> None:
        """Do all operations with one verb; ``do`` notes in the dictionary when each was known."""
        answer = VerbResult(verb)
        self._requests.clear()
        cpu, wall = time.process_time(), time.perf_counter()
        do(answer.known)
        answer.cpu = time.process_time() - cpu
        answer.wall = time.perf_counter() - wall
        answer.requests = Counter(self._requests)
        self._results.append(answer)

    def print_results(self, **more: Any) -> None:
        """Print the answers, with whatever else the subject has to say."""
        print(json.dumps({"verbs": [attrs.asdict(each) for each in self._results], **more}))  # noqa: T201 - the answer


def count_requests(endpoint: str) -> Counter[str]:
    """Count what this process sends to Freezer from now on, by method and collection."""
    send = requests.adapters.HTTPAdapter.send
    sent: Counter[str] = Counter()

    def counted(adapter: Any, request: Any, *args: Any, **kwargs: Any) -> Any:
        if request.url.startswith(endpoint):
            # /v2/PROJECT/COLLECTION/...
            collection = request.url.removeprefix(endpoint).partition("?")[0].split("/")[3]
            sent[f"{request.method} {collection}"] += 1
        return send(adapter, request, *args, **kwargs)

    # It takes what the original takes, whatever that is.
    requests.adapters.HTTPAdapter.send = counted  # type: ignore[assignment, method-assign]
    return sent
