"""Glance's part, as far as it is asked: https://docs.openstack.org/api-ref/image/v2/."""

from typing import Any, Final

from werkzeug.exceptions import Conflict, Forbidden
from werkzeug.wrappers import Response

from tests.support.scripted_cloud import images
from tests.support.scripted_cloud.api_call import ApiCall, Routes

VERSIONS: Final = {
    "versions": [
        {"id": "v2.17", "status": "CURRENT", "links": [{"rel": "self", "href": "{url}/v2/"}]}
    ]
}
"""What it says of its versions, where ``{url}`` is its address."""


def _images(call: ApiCall) -> Any:
    return {"images": [each.shown for each in call.list_visible(call.state.images)]}


def _image(call: ApiCall, image: str) -> Any:
    return call.state.images.get(image, call.visible_project).shown


def _new_image(call: ApiCall) -> Any:
    asked = call.request.get_json(force=True)
    return 201, images.new_image(call.state, call.project, asked).shown


def _change_image(call: ApiCall, image: str) -> Any:
    resource = call.state.images.get(image, call.visible_project)
    for change in call.request.get_json(force=True):
        field = change["path"].removeprefix("/")
        if change["op"] == "remove":
            resource.shown.pop(field, None)
        else:
            resource.shown[field] = change["value"]
    return resource.shown


def _delete_image(call: ApiCall, image: str) -> Any:
    resource = call.state.images.get(image, call.visible_project)
    if resource.shown["protected"]:
        raise Forbidden(f"Image {image} is protected and cannot be deleted.")
    call.state.images.remove(resource)
    return 204, None


def _upload(call: ApiCall, image: str) -> Any:
    resource = call.state.images.get(image, call.visible_project)
    if resource.shown["status"] != "queued":
        raise Conflict("Image status transition is not allowed")
    images.fill_image(resource, call.request.get_data())
    return 204, None


def _download(call: ApiCall, image: str) -> Any:
    resource = call.state.images.get(image, call.visible_project)
    if resource.shown["status"] != "active":
        return 204, None
    size = resource.shown["size"]
    return Response(resource.content.ljust(size, b"\0"), mimetype="application/octet-stream")


ROUTES: Final[Routes] = (
    ("GET", "/images", _images),
    ("POST", "/images", _new_image),
    ("GET", "/images/<image>", _image),
    ("PATCH", "/images/<image>", _change_image),
    ("DELETE", "/images/<image>", _delete_image),
    ("PUT", "/images/<image>/file", _upload),
    ("GET", "/images/<image>/file", _download),
)
