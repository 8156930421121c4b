"""Karbor's own account in a real Keystone."""

from collections.abc import Iterable

from sandbox import Sandbox


def make_karbor_user(
    sandbox: Sandbox, name: str, password: str, roles: Iterable[str] = ("admin",)
) -> str:
    """Make Karbor's account, with roles in its default project; it must be able to list users.

    Returns:
        the user's id.
    """
    admin = sandbox.session("admin")
    project = admin.get_project_id()
    url = sandbox.auth_url
    user = {
        "name": name,
        "password": password,
        "domain_id": "default",
        "default_project_id": project,
    }
    user_id = str(admin.post(f"{url}/users", json={"user": user}).json()["user"]["id"])
    for role in roles:
        (role_document,) = admin.get(f"{url}/roles?name={role}").json()["roles"]
        admin.put(f"{url}/projects/{project}/users/{user_id}/roles/{role_document['id']}")
    return user_id
