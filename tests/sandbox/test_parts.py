"""The optional parts do their own work; what Freezer does with them is in test_freezer.py."""

import ftplib
import io
import subprocess
from pathlib import Path

import pytest

from sandbox import Sandbox, SandboxError
from sandbox.ftp import Ftp
from sandbox.s3 import S3

S3_ROUND_TRIP = """
import sys
import botocore.session
endpoint, access_key, secret_key = sys.stdin.read().split()
client = botocore.session.get_session().create_client(
    "s3",
    endpoint_url=endpoint,
    aws_access_key_id=access_key,
    aws_secret_access_key=secret_key,
)
client.create_bucket(Bucket="bucket")
client.put_object(Bucket="bucket", Key="some/key", Body=b"content")
sys.stdout.buffer.write(client.get_object(Bucket="bucket", Key="some/key")["Body"].read())
"""


@pytest.fixture
def s3(sandbox: Sandbox) -> S3:
    return sandbox.s3


def test_an_unknown_part_is_refused(sandbox: Sandbox) -> None:
    with pytest.raises(
        SandboxError,
        match="There is no part 'tape', only: ssh, swift, s3, s3-tls, rest, ftp, cloud",
    ):
        sandbox.part("tape")


def test_part_is_started_once(sandbox: Sandbox, ftp: Ftp) -> None:
    assert sandbox.part("ftp") == ftp
    assert [name for name in sandbox.servers if name.startswith("ftp")] == ["ftp", "ftps"]


def test_ftp_stores_and_returns_a_file(ftp: Ftp) -> None:
    with ftplib.FTP() as client:  # noqa: S321 - the storage kind is FTP
        client.connect(ftp.host, ftp.port)
        round_trip(client, ftp.user, ftp.password, ftp.directory)


def test_ftps_stores_and_returns_a_file(ftp: Ftp) -> None:
    with ftplib.FTP_TLS() as client:  # noqa: S321 - this one is encrypted
        client.connect(ftp.host, ftp.tls_port)
        round_trip(client, ftp.user, ftp.password, ftp.directory)


def test_ftps_refuses_a_connection_without_tls(ftp: Ftp) -> None:
    with ftplib.FTP() as client:  # noqa: S321 - to be refused
        client.connect(ftp.host, ftp.tls_port)
        with pytest.raises(ftplib.error_perm, match="550 SSL/TLS required"):
            client.login(ftp.user, ftp.password)


def test_s3_stores_and_returns_an_object(sandbox: Sandbox, s3: S3) -> None:
    done = subprocess.run(
        [str(sandbox.instance.state.environment.python), "-c", S3_ROUND_TRIP],
        input=f"{s3.endpoint} {s3.access_key} {s3.secret_key}",
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.stdout, done.stderr) == ("content", "")


def round_trip(client: ftplib.FTP, user: str, password: str, directory: Path) -> None:
    client.login(user, password)
    if isinstance(client, ftplib.FTP_TLS):
        client.prot_p()
    client.storbinary("STOR file", io.BytesIO(b"content"))
    read = io.BytesIO()
    client.retrbinary("RETR file", read.write)
    assert read.getvalue() == (directory / "file").read_bytes() == b"content"
    client.delete("file")
