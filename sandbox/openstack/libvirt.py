"""libvirt, in namespaces of its own: no file and no virtual machine is left outside of them."""

import grp
import os
import pwd
import shutil
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from sandbox.environments import Environment
from sandbox.instance import Instance
from sandbox.layout import Layout
from sandbox.openstack.programs import PATH
from sandbox.openstack.site import READY_TIMEOUT
from sandbox.services import Service, server_environ

NAME = "libvirtd"

Virtualization = Literal["kvm", "qemu", "files"]
"""How servers run: virtualised, emulated, or not at all, but with the files of their disks."""

_KVM = Path("/dev/kvm")
_SERVE = Path(__file__).parents[1] / "servers" / "serve_libvirt.py"
_PYTHON_BINDING = Path("/usr/lib/python3/dist-packages")
_TAG = f"cpython-{sys.version_info.major}{sys.version_info.minor}-"
_FILE_DRIVER = Path(__file__).parent / "plugins" / "sandbox_nova.py"
_USER = "libvirt-qemu"


def home_directory(layout: Layout) -> Path:
    """Return the directory with all that it would have in /etc, /run and /var."""
    return layout.data / "libvirt"


def connection_uri(layout: Layout) -> str:
    """Return the URI by which Nova finds it."""
    return f"qemu+unix:///system?socket={home_directory(layout) / 'run' / 'libvirt-sock'}"


def choose_virtualization(environment: Environment) -> Virtualization:
    """Return the best that this machine can do, with what Nova needs for it linked to its place.

    libvirt's binding is Debian's, since PyPI's must be compiled; it works with Debian's version of
    Python only.
    """
    site_packages = next(environment.path.glob("lib/python*/site-packages"))
    extensions = list(_PYTHON_BINDING.glob(f"libvirtmod*.{_TAG}*.so"))
    if not extensions or shutil.which("libvirtd", path=PATH) is None:
        _link_if_missing(_FILE_DRIVER, site_packages / "nova" / "virt" / "sandbox.py")
        return "files"
    for source in (*_PYTHON_BINDING.glob("libvirt*.py"), *extensions):
        _link_if_missing(source, site_packages / source.name)
    return "kvm" if os.access(_KVM, os.R_OK | os.W_OK) else "qemu"


def _link_if_missing(source: Path, link: Path) -> None:
    if not link.is_symlink():
        link.symlink_to(source)


def service(instance: Instance) -> Service:
    """Configure a server and return it."""
    place = home_directory(instance.layout)
    for name in ("etc", "lib", "cache", "log", "run"):
        (place / name).mkdir(parents=True, exist_ok=True)
    (place / "etc" / "qemu.conf").write_text(_QEMU)
    (place / "etc" / "libvirtd.conf").write_text(_LIBVIRTD)
    _write_users(place)
    namespaces = ["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    return Service(
        name=NAME,
        command=["unshare", *namespaces, sys.executable, "-P", str(_SERVE), str(place)],
        environ=server_environ(instance.layout, Path("/usr/sbin"), {"PATH": PATH}),
        directory=place,
        log=instance.layout.logs / f"{NAME}.log",
        ready_text="libvirtd is ready",
        ready_timeout=READY_TIMEOUT,
    )


def _write_users(place: Path) -> None:
    """Write the machine's users with the one that libvirt wants to see, though it is not used."""
    users: Iterable[Iterable[object]] = pwd.getpwall()
    groups = ((each.gr_name, each.gr_passwd, each.gr_gid, "") for each in grp.getgrall())
    own = (_USER, "x", 64055, 64055, "", "/nonexistent", "/usr/sbin/nologin")
    for name, entries in (("passwd", (*users, own)), ("group", (*groups, (_USER, "x", 64055, "")))):
        lines = [":".join(map(str, entry)) for entry in entries]
        (place / name).write_text("\n".join([*lines, ""]))


# Virtual machines run as root and read files that root has made; there is no systemd that would
# make control groups for them, nor a virtlogd for their consoles.
_QEMU = """\
user = "root"
group = "root"
swtpm_user = "root"
swtpm_group = "root"
dynamic_ownership = 0
security_driver = "none"
stdio_handler = "file"
namespaces = []
cgroup_controllers = []
"""

_LIBVIRTD = """\
listen_tls = 0
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
"""
