"""What the cloud's answers become."""

import pytest

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_freezer.cloud.faults import NotFound, Refused, asking
from sandbox import faults
from tests.backends.freezer.answering import AnsweringCloud


def asked(cloud: AnsweringCloud) -> BaseException:
    with pytest.raises((BackendError, InvalidInput)) as caught, asking("Cinder for volume x"):
        cloud.services.sdk.block_storage.get_volume("x")
    assert str(caught.value).startswith("asking Cinder for volume x: ")
    assert "\n" not in str(caught.value)
    return caught.value


def test_not_found_is_what_was_asked_for_wrongly(answering: AnsweringCloud) -> None:
    answering.answer("/volumes/x", {"itemNotFound": {"message": "Volume x\nis not."}}, 404)
    error = asked(answering)
    assert isinstance(error, NotFound | InvalidInput)
    assert str(error) == "asking Cinder for volume x: status 404: Volume x is not."


@pytest.mark.parametrize("status", [400, 403, 405, 409, 413, 415])
def test_a_refusal_is_final_and_told_in_the_services_words(
    answering: AnsweringCloud, status: int
) -> None:
    answering.answer("/volumes/x", {"overLimit": {"message": "Quota of volumes"}}, status)
    error = asked(answering)
    assert isinstance(error, Refused)
    assert error.status == status
    assert str(error).endswith(f"status {status}: Quota of volumes")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_what_may_pass_is_transient(answering: AnsweringCloud, status: int) -> None:
    # The service's versions are asked for first, with errors of their own.
    answering.services.sdk.block_storage.get_endpoint_data()
    answering.proxy.plan(faults.status(status, retry_after=7), times=None, path="/volumes/x")
    error = asked(answering)
    assert isinstance(error, Transient)
    assert error.retry_after == 7
    assert len([r for r in answering.proxy.requests if "/volumes/" in r.path]) == 1


def test_missing_credentials_are_final(answering: AnsweringCloud) -> None:
    answering.answer("/volumes/x", {"error": {"message": "authenticate"}}, 401)
    error = asked(answering)
    assert not isinstance(error, Transient | Refused)
    assert "credentials" in str(error)


@pytest.mark.parametrize("path", ["/volumes/x", "/volume/v3"])
@pytest.mark.parametrize("fault", [faults.hang(), faults.disconnect()], ids=lambda f: f.name)
def test_no_answer_is_transient(path: str, fault: faults.Fault) -> None:
    with AnsweringCloud(first=(fault, path), timeout=0.5) as cloud:
        assert isinstance(asked(cloud), Transient)


def test_a_service_that_tells_no_versions_is_asked_again_later() -> None:
    with AnsweringCloud(first=(faults.status(503), "/volume/v3")) as cloud:
        assert isinstance(asked(cloud), Transient)
        cloud.proxy.clear()
        cloud.answer_versions()
        cloud.answer("/volumes/x", {"volume": {"id": "x"}})
        assert cloud.services.sdk.block_storage.get_volume("x").id == "x"


def test_a_web_page_is_no_answer(answering: AnsweringCloud) -> None:
    answering.proxy.plan(faults.html(), times=None, path="/volumes/detail")
    with pytest.raises(Transient, match="the answer is no JSON"), asking("Cinder for volumes"):
        list(answering.services.sdk.block_storage.volumes())


def test_other_exceptions_are_left_alone() -> None:
    with pytest.raises(ZeroDivisionError), asking("nobody"):
        raise ZeroDivisionError
