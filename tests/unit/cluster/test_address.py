"""Addresses: TLS beyond this machine, and what a cluster's words mean."""

from __future__ import annotations

import pytest

from runner.cluster import address
from runner.cluster.address import Cluster, Remote
from runner.errors import UsageError


@pytest.mark.parametrize(
    "text", ["tls://night:8786", "tls://10.0.0.7:8786", "tcp://127.0.0.1:1", "tcp://localhost:8786"]
)
def test_tls_anywhere_and_plain_tcp_on_this_machine(text: str) -> None:
    assert address.scheduler(text).text == text


@pytest.mark.parametrize("text", ["tcp://night:8786", "tcp://10.0.0.7:8786", "tcp://[fe80::1]:8786"])
def test_plain_tcp_to_another_machine_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"plain TCP lets anybody .*--insecure"):
        address.scheduler(text)
    assert address.scheduler(text, insecure=True).text == text


def test_ipv6_of_this_machine_is_loopback() -> None:
    assert address.scheduler("tcp://[::1]:8786").loopback
    assert not address.scheduler("tls://[fe80::1]:8786").loopback


@pytest.mark.parametrize(
    "text", ["", "night:8786", "tls://night", "tls://night:99999", "tls://a b:1", "tls://u@h:1", "x"]
)
def test_what_is_no_address_is_said(text: str) -> None:
    with pytest.raises(UsageError, match="is not the address of a scheduler"):
        address.scheduler(text)


def test_other_protocols_are_refused() -> None:
    with pytest.raises(UsageError, match="ws:// is not supported"):
        address.scheduler("ws://127.0.0.1:80")


def test_words_of_a_cluster() -> None:
    assert address.cluster("local:2") == Cluster(local=2)
    assert address.cluster("ssh:a,me@b,mac=/opt/x/bin/runner") == Cluster(
        remotes=(Remote("a"), Remote("me@b"), Remote("mac", "/opt/x/bin/runner"))
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("local", "nothing after local"),
        ("local:0", "not a number of workers"),
        ("local:99", "from 1 to 64"),
        ("lokal:2", "did you mean 'local'"),
        ("ssh:", "nothing after ssh"),
        ("ssh:a,,b", "'' is not a host"),
        ("ssh:-oProxyCommand=x", "is not a host"),
        ("ssh:a b", "is not a host"),
        ("ssh:a=runner;id", "is not a host"),
    ],
)
def test_malformed_words_of_a_cluster_are_said(text: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        address.cluster(text)
