"""What the cloud's answers become."""

import pytest

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_openstack.errors import NotFound, Refused, translate_errors
from tests.backends.openstack.stub_cloud import StubCloud
from tests.support import http_faults


def catch_error(cloud: StubCloud) -> BaseException:
    with (
        pytest.raises((BackendError, InvalidInput)) as caught,
        translate_errors("Cinder for volume x"),
    ):
        cloud.services.sdk.block_storage.get_volume("x")
    assert str(caught.value).startswith("asking Cinder for volume x: ")
    assert "\n" not in str(caught.value)
    return caught.value


def test_404_raises_not_found(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/volumes/x", {"itemNotFound": {"message": "Volume x\nis not."}}, 404)
    error = catch_error(stub_cloud)
    assert isinstance(error, NotFound | InvalidInput)
    assert str(error) == "asking Cinder for volume x: status 404: Volume x is not."


@pytest.mark.parametrize("status", [400, 403, 405, 409, 413, 415])
def test_refusal_is_final_and_quotes_the_service(stub_cloud: StubCloud, status: int) -> None:
    stub_cloud.add_response("/volumes/x", {"overLimit": {"message": "Quota of volumes"}}, status)
    error = catch_error(stub_cloud)
    assert isinstance(error, Refused)
    assert error.status == status
    assert str(error).endswith(f"status {status}: Quota of volumes")


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_temporary_status_raises_transient(stub_cloud: StubCloud, status: int) -> None:
    # The service's versions are asked for first, with errors of their own.
    stub_cloud.services.sdk.block_storage.get_endpoint_data()
    stub_cloud.proxy.plan(
        http_faults.error_response(status, retry_after=7), times=None, path="/volumes/x"
    )
    error = catch_error(stub_cloud)
    assert isinstance(error, Transient)
    assert error.retry_after == 7
    assert len([r for r in stub_cloud.proxy.requests if "/volumes/" in r.path]) == 1


def test_missing_credentials_are_final(stub_cloud: StubCloud) -> None:
    stub_cloud.add_response("/volumes/x", {"error": {"message": "authenticate"}}, 401)
    error = catch_error(stub_cloud)
    assert not isinstance(error, Transient | Refused)
    assert "credentials" in str(error)


@pytest.mark.parametrize("path", ["/volumes/x", "/volume/v3"])
@pytest.mark.parametrize(
    "fault", [http_faults.no_response(), http_faults.disconnect()], ids=lambda f: f.name
)
def test_no_answer_is_transient(path: str, fault: http_faults.HttpFault) -> None:
    with StubCloud(first=(fault, path), timeout=0.5) as cloud:
        assert isinstance(catch_error(cloud), Transient)


def test_service_without_version_document_is_retried_later() -> None:
    with StubCloud(first=(http_faults.error_response(503), "/volume/v3")) as cloud:
        assert isinstance(catch_error(cloud), Transient)
        cloud.proxy.clear()
        cloud.add_version_responses()
        cloud.add_response("/volumes/x", {"volume": {"id": "x"}})
        assert cloud.services.sdk.block_storage.get_volume("x").id == "x"


def test_web_page_raises_an_error(stub_cloud: StubCloud) -> None:
    stub_cloud.proxy.plan(http_faults.html_page(), times=None, path="/volumes/detail")
    with (
        pytest.raises(Transient, match="the answer is not JSON"),
        translate_errors("Cinder for volumes"),
    ):
        list(stub_cloud.services.sdk.block_storage.volumes())


def test_other_exceptions_are_not_translated() -> None:
    with pytest.raises(ZeroDivisionError), translate_errors("nobody"):
        raise ZeroDivisionError
