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


PASSED = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_INDEX_STRATEGY", "UV_INSECURE_HOST"),
    *("UV_HTTP_TIMEOUT", "UV_HTTP_RETRIES", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS", "UV_INDEX_A1_USERNAME"),
    *("UV_INDEX_A_B_PASSWORD", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT"),
)


@pytest.mark.parametrize("name", PASSED)
def test_each_setting_of_an_index_or_a_proxy_passes(name: str) -> None:
    assert Network.here({name: "value"}).variables[name] == "value"
    assert Network.here({name: ""}).variables == {}
    assert Network.here({f"X{name}": "value", f"{name}X": "value"}).variables == {}


def test_variables_of_this_process_are_read_and_sorted(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, f"http://{name}")
    found = list(Network.here().variables)
    assert [name for name in found if name in ("NO_PROXY", "HTTP_PROXY")] == ["HTTP_PROXY", "NO_PROXY"]


@pytest.mark.parametrize(
    ("variables", "index"),
    [
        ({"UV_INDEX_URL": "https://old/simple"}, "https://old/simple"),
        ({"UV_INDEX_URL": "https://old", "UV_DEFAULT_INDEX": "https://new"}, "https://new"),
        ({"PIP_INDEX_URL": "https://pip", "UV_DEFAULT_INDEX": "https://new"}, "https://pip"),
        ({"UV_DEFAULT_INDEX": "https://x/simple?a=b"}, "https://x/simple?a=b"),
        ({"UV_EXTRA_INDEX_URL": "https://more"}, None),
    ],
)
def test_pip_gets_uvs_index_unless_it_has_its_own(variables: dict[str, str], index: str | None) -> None:
    assert Network.here(variables).variables.get("PIP_INDEX_URL") == index


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("http://127.8.9.1/x", "host"),
        ("https://localhost", "host"),
        ("http://localhost.example:80", None),
        ("localhost", None),
        ("http://x/localhost:80", None),
    ],
)
def test_only_an_address_on_loopback_needs_the_hosts_network(address: str, mode: str | None) -> None:
    assert Network({"A": "http://x", "HTTPS_PROXY": address}).mode == mode


def test_certificates_that_are_no_text_are_named(tmp_path: Path) -> None:
    bundle = tmp_path / "ca.der"
    bundle.write_bytes(b"\xff\xfe")
    with pytest.raises(UsageError, match=rf"^SSL_CERT_FILE={bundle}: cannot be read: 'utf-8' codec"):
        Network.here({"SSL_CERT_FILE": str(bundle)})


def test_secrets_are_shell_lines_and_certificates() -> None:
    network = Network({"HTTPS_PROXY": "http://a b", "NO_PROXY": "x"}, "PEM\n")
    assert network.files() == {
        "network": "export HTTPS_PROXY='http://a b'\nexport NO_PROXY=x\n",
        "certificates": "PEM\n",
    }
    assert Network({}).files() == {}


def test_the_pieces_of_the_classic_builder_are_in_the_order_in_which_they_are_put_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = Network({"A": "b"})
    (whole,) = made.build_arguments().values()
    size = -(-len(whole) // 4)
    monkeypatch.setattr("runner.images.network._CHANNEL_BYTES", size)
    names = ("FTP_PROXY", "ftp_proxy", "ALL_PROXY", "all_proxy")
    assert made.build_arguments() == {name: whole[n * size : (n + 1) * size] for n, name in enumerate(names)}
    monkeypatch.setattr("runner.images.network._CHANNEL_BYTES", size - 1)
    with pytest.raises(UsageError) as caught:
        made.build_arguments()
    assert str(caught.value) == "SSL_CERT_FILE is too large for the classic builder; install Docker's buildx"


def test_a_piece_is_shorter_than_what_linux_takes() -> None:
    import random

    noise = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789+/", k=200_000))  # noqa: S311
    first, second = Network({}, noise).build_arguments().values()
    assert (len(first), 0 < len(second) <= 120_000) == (120_000, True)
