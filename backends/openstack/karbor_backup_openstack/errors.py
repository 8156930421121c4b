"""What went wrong with a request to one of the cloud's services, in one line."""

import contextlib
import re
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from karbor_backup_core import BackendError, InvalidInput, Transient
from karbor_backup_openstack import http_errors
from karbor_backup_openstack.proxies import describe_proxy

if TYPE_CHECKING:
    from keystoneauth1.exceptions import ClientException
    from openstack.exceptions import HttpException

_TRANSIENT_STATUSES: Final = frozenset(
    {
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)

_ADDRESS: Final = re.compile(r"https?://[^/\s]+")


class NotFound(InvalidInput):
    """The cloud has nothing of that id, or nothing that these credentials may see."""


class Refused(BackendError):
    """A service understood the request and said no: quota, permission, or the resource's state.

    Attributes:
        status: the answer's status.
    """

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@contextlib.contextmanager
def translate_errors(what: str) -> Iterator[None]:
    """Turn what openstacksdk and keystoneauth raise into this framework's exceptions.

    Args:
        what: who is asked for what, such as "Cinder for volume 4f…": it begins the message.

    Raises:
        Transient: a repeat may help: no connection, no answer in time, 408, 429, 5xx, or the
            service does not tell its versions.
        NotFound: 404.
        Refused: any other 4xx, with the service's own words.
        BackendError: Keystone refuses the credentials, the catalog lacks the service, or an
            answer cannot be read.
    """
    import requests
    from keystoneauth1.exceptions import ClientException
    from openstack import exceptions

    try:
        yield
    except exceptions.HttpException as error:
        raise _from_response(error, what) from error
    except ClientException as error:
        raise _from_connection_error(error, what) from error
    except requests.JSONDecodeError as error:
        raise Transient(f"asking {what}: the answer is not JSON") from error
    except (exceptions.NotSupported, exceptions.ServiceDiscoveryException) as error:
        # So openstacksdk says of a service that is down when it is asked for its versions.
        raise Transient(
            f"asking {what}: {http_errors.to_one_line(str(error))}{describe_proxy(error)}"
        ) from error
    except exceptions.SDKException as error:
        raise BackendError(f"asking {what}: {http_errors.to_one_line(str(error))}") from error


def _from_response(error: "HttpException", what: str) -> BackendError | InvalidInput:
    status = error.status_code or 0
    said = f"asking {what}: status {status}: {http_errors.to_one_line(str(error.details or ''))}"
    if status == HTTPStatus.NOT_FOUND:
        return NotFound(said)
    if status in _TRANSIENT_STATUSES:
        response = error.response
        return Transient(said, None if response is None else http_errors.retry_after(response))
    if status == HTTPStatus.UNAUTHORIZED:
        return BackendError(f"{said}: check the credentials and roles")
    return Refused(said, status)


def _from_connection_error(error: "ClientException", what: str) -> BackendError:
    from keystoneauth1 import exceptions

    from karbor_backup_openstack.quiet_session import Redirected

    if isinstance(error, Redirected):
        return BackendError(f"asking {what}: {error}")
    if isinstance(error, exceptions.CatalogException):
        words = http_errors.to_one_line(str(error))
        return BackendError(f"asking {what}: the catalog has no such service: {words}")
    if isinstance(error, exceptions.DiscoveryFailure):
        return Transient(
            f"asking {what}: {http_errors.to_one_line(str(error))}{describe_proxy(error)}"
        )
    if isinstance(error, exceptions.ConnectTimeout):
        # keystoneauth says so of a read timeout too.
        return Transient(
            f"asking {what}: no answer in time; the request may have arrived{describe_proxy(error)}"
        )
    address = _ADDRESS.search(str(error))
    where = address.group() if address else "the cloud"
    translated = http_errors.from_connection_error(error, where, 0)
    translated.args = (f"asking {what}: {translated}",)
    return translated
