"""What of this machine's network settings reaches a build, and in which form."""

from __future__ import annotations

import base64
import json
import lzma
import shlex
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.images.network import Network


def test_mirrors_and_proxies_pass_and_nothing_else() -> None:
    found = Network.here(
        {
            "HTTPS_PROXY": "http://user:secret@proxy:3128",
            "no_proxy": "localhost",
            "UV_DEFAULT_INDEX": "https://mirror.example/simple",
            "UV_INDEX_CORP_PASSWORD": "secret",
            "AWS_SECRET_ACCESS_KEY": "no",
            "UV_PUBLISH_TOKEN": "no",
            "PATH": "/bin",
        }
    )
    assert set(found.variables) == {
        "HTTPS_PROXY", "no_proxy", "UV_DEFAULT_INDEX", "UV_INDEX_CORP_PASSWORD", "PIP_INDEX_URL",
    }  # fmt: skip
    assert found.variables["PIP_INDEX_URL"] == "https://mirror.example/simple"


def test_a_named_index_is_pips_by_its_address() -> None:
    found = Network.here({"UV_DEFAULT_INDEX": "corp=https://mirror.example/simple?a=b"})
    assert found.variables["PIP_INDEX_URL"] == "https://mirror.example/simple?a=b"


def test_shell_lines_are_quoted() -> None:
    lines = Network({"UV_DEFAULT_INDEX": "https://x/'; rm -rf /; '"}).files()["network"]
    assert shlex.split(lines) == ["export", "UV_DEFAULT_INDEX=https://x/'; rm -rf /; '"]


def test_a_folder_of_wheels_on_this_machine_is_not_there_in_a_build() -> None:
    assert Network.here({"UV_FIND_LINKS": "/some/wheels"}).variables == {}
    assert "UV_FIND_LINKS" in Network.here({"UV_FIND_LINKS": "http://wheels.example"}).variables


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("http://127.0.0.1:3128", "host"),
        ("http://user:pw@localhost:3128", "host"),
        ("http://[::1]/simple", "host"),
        ("http://proxy.example:3128", None),
        ("http://localhost.example", None),
    ],
)
def test_what_listens_on_loopback_needs_the_hosts_network(address: str, mode: str | None) -> None:
    assert Network.here({"HTTPS_PROXY": address}).mode == mode


def test_certificates_are_read(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.pem"
    bundle.write_text("-----BEGIN CERTIFICATE-----\n")
    found = Network.here({"SSL_CERT_FILE": str(bundle)})
    assert found.files() == {"certificates": "-----BEGIN CERTIFICATE-----\n"}


def test_certificates_that_are_not_there_are_named() -> None:
    with pytest.raises(UsageError, match=r"SSL_CERT_FILE=/nowhere\.pem"):
        Network.here({"SSL_CERT_FILE": "/nowhere.pem"})


def test_the_classic_builder_gets_everything_in_arguments_it_does_not_record() -> None:
    network = Network({"HTTPS_PROXY": "http://x"}, "".join(chr(33 + n * n * 7919 % 90) for n in range(200_000)))
    arguments = network.build_arguments()
    assert set(arguments) <= {"FTP_PROXY", "ftp_proxy", "ALL_PROXY", "all_proxy"}
    assert all(len(value) < 128 * 1024 for value in arguments.values())
    packed = "".join(arguments.values())
    assert json.loads(lzma.decompress(base64.b64decode(packed))) == network.files()


def test_nothing_to_say_is_no_argument() -> None:
    assert Network({}).build_arguments() == {}


def test_too_much_for_the_classic_builder_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    import random

    noise = "".join(random.Random(0).choices("abcdefghijklmnopqrstuvwxyz0123456789+/", k=2_000_000))  # noqa: S311
    with pytest.raises(UsageError, match="buildx"):
        Network({}, noise).build_arguments()
