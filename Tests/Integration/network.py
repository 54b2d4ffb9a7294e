# SPDX-License-Identifier: Apache-2.0
"""P1, P9 and P12: connections to Azure: proxies, IPv6, a private CA bundle, TLS, failing name resolution; the daemon always
asks the metadata service directly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure_faults import LIMIT_MS, and_then_admitted, refused_with
from case import case
from environment import KEYS, SETTINGS, Environment, Host
from simulator.clouds import HOST_NAMES, PUBLIC
from simulator.proxy import PASSWORD, USER
from simulator.simulator import Addresses
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

ONLY_OURSELVES = "127.0.0.1 localhost contoso-vm\n"
CREDENTIALS = f"{USER}:{PASSWORD.replace(' ', '%20')}"
AZURE = {PUBLIC.login, PUBLIC.pas}


def proxy(scheme: str, place: tuple[str, int], credentials: str = "") -> str:
    return f"{scheme}://{credentials and credentials + '@'}{place[0]}:{place[1]}"


PROXIES = (
    proxy("http", Addresses.proxy), proxy("https", Addresses.secure_proxy),
    proxy("http", Addresses.proxy_with_credentials, CREDENTIALS),
    proxy("https", Addresses.secure_proxy_with_credentials, CREDENTIALS),
)


@contextmanager
def nameless(env: Environment, name: str, hosts: str = ONLY_OURSELVES) -> Iterator[Host]:
    """A machine that resolves only the names in `hosts`; the daemon is not started yet."""
    with env.fresh(name, started=False) as host:
        host.machine.write("/etc/hosts", hosts)
        host.machine.write("/etc/resolv.conf", "nameserver 127.20.0.99\n")
        host.machine.start_sshd(host.port)
        yield host


def begin_anew(env: Environment, host: Host, settings: str = "", environment: dict[str, str] | None = None) -> None:
    """Restarts the daemon with these settings, as on a machine that never had keys; clears the request log."""
    host.service.stop()
    host.machine.remove(KEYS)
    host.machine.write(SETTINGS, settings)
    host.service.environment = host.environment() | (environment or {})
    env.azure.forget_requests()
    host.begin()
    host.stamped()


def tunnelled(env: Environment) -> set[str]:
    """The hosts that the daemon reached through the proxy, except Resource Manager, which it asks later to confirm that a user
    is no administrator."""
    hosts = {r["path"].rpartition(":")[0] for r in env.azure.requests("proxy") if r["status"] == 200}
    return hosts - {PUBLIC.arm}


def by_proxy_only(env: Environment, host: Host, what: str) -> None:
    """Requires that a new user can sign in, and that all requests to Azure's cloud, but none for metadata, used the proxy."""
    person = env.newcomer()
    admitted(host.ssh(person, "true"))
    equal(tunnelled(env), AZURE, f"{what}: hosts behind the proxy")
    asked = {r["path"] for r in env.azure.requests("proxy")}
    require(not any("169.254" in path for path in asked), f"{what}: metadata through the proxy: {asked}")
    require(host.count("imds") > 0, f"{what}: no metadata")


def served_by_proxies(env: Environment, urls: tuple[str, ...], variables: tuple[tuple[str, ...], ...]) -> str:
    """Tries each proxy by the settings, and the one with credentials by each set of environment variables."""
    with nameless(env, "proxies") as host:
        for url in urls:
            begin_anew(env, host, f"[Azure]\nProxy={url}\n")
            by_proxy_only(env, host, url)
        for names in variables:
            begin_anew(env, host, environment=dict.fromkeys(names, PROXIES[2]))
            by_proxy_only(env, host, " ".join(names))
        text = host.journal.text() + host.tool("status").text + host.tool("config").text
        require(PASSWORD not in text and "correct%20horse" not in text, "the proxy's password is shown")
    return f"{len(urls)} kinds by settings, {len(variables)} by environment"


@case("P1", "an https proxy with credentials by settings, and an http one by the environment; metadata never by them")
def proxies(env: Environment) -> str:
    return served_by_proxies(env, PROXIES[3:], (("https_proxy", "http_proxy"),))


@case("P1", "all other kinds of proxies", deep=True)
def more_proxies(env: Environment) -> str:
    return served_by_proxies(env, PROXIES[:3], (("HTTPS_PROXY", "ALL_PROXY"), ("all_proxy",)))


@case("P1", "hosts of NoProxy= and no_proxy are asked directly, and a proxy that refuses is told", deep=True)
def past_the_proxy(env: Environment) -> str:
    place = Addresses.entra[0]
    with nameless(env, "noproxy", ONLY_OURSELVES + f"{place} {PUBLIC.login}\n") as host:
        begin_anew(env, host, f"[Azure]\nProxy={PROXIES[0]}\nNoProxy={PUBLIC.login}\n")
        admitted(host.ssh(env.newcomer(), "true"))
        equal(tunnelled(env), {PUBLIC.pas}, "hosts behind the proxy, with NoProxy=")
        begin_anew(env, host, environment={"https_proxy": PROXIES[0], "no_proxy": f"example.org,{PUBLIC.login}"})
        admitted(host.ssh(env.newcomer(), "true"))
        equal(tunnelled(env), {PUBLIC.pas}, "hosts behind the proxy, with no_proxy")
        wrong = proxy("http", Addresses.proxy_with_credentials, f"{USER}:wrong")
        begin_anew(env, host, f"[Azure]\nProxy={wrong}\nNoProxy={PUBLIC.login}\n")
        person = env.newcomer()
        mark = host.journal.mark()
        refused(host.ssh(person, "id"), "could not be reached")
        record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
        require("proxy failed" in record["ENTRALOGIN_DETAIL"] and "407" in record["ENTRALOGIN_DETAIL"], record)
        require("407" in host.tool("doctor").text, "doctor hides it")
    return record["ENTRALOGIN_DETAIL"]


@case("P1", "Azure by IPv6 alone")
def by_ipv6(env: Environment) -> str:
    names = " ".join(name for of_role in HOST_NAMES.values() for name in of_role)
    with nameless(env, "six", ONLY_OURSELVES + f"::1 {names}\n") as host:
        begin_anew(env, host)
        admitted(host.ssh(env.newcomer(), "true"))
        refused(host.ssh(env.person("carol"), "id"), "role not assigned")
    return "in and refused"


@case("P1", "TLS: another host's certificate and TLS 1.1 are no answer, CAFile= takes the system's authorities' place", deep=True)
def tls(env: Environment) -> str:
    own = env.testbed.authority.read_text()
    with env.fresh("tlsrules") as host:
        known = env.newcomer()
        admitted(host.ssh(known, "true"))
        for fault in ("wrong-host", "old-tls"):
            host.service.stop()  # the fault affects only new connections
            for endpoint in ("pas", "arm"):
                env.azure.set_fault(fault, endpoint)
            host.begin()
            mark = host.journal.mark()
            person = env.newcomer()
            refused(host.ssh(person, "id"), "could not be reached")
            record = host.journal.wait(mark, event="account", user=person.login, decision="deny")
            require("TLS failed" in record["ENTRALOGIN_DETAIL"], f"{fault}: {record['ENTRALOGIN_DETAIL']}")
            env.azure.clear_faults()
        # A private CA, which the system's bundle does not have; then CAFile= with a foreign CA only.
        system = Path("/etc/ssl/certs/ca-certificates.crt")
        bundle = host.machine.read(str(system))
        host.machine.write(str(system), bundle.replace(own, ""))
        host.machine.write("/etc/ssl/private-authority.pem", own)
        begin_with = "[Azure]\nCAFile=/etc/ssl/private-authority.pem\n"
        begin_anew(env, host, begin_with)
        admitted(host.ssh(env.newcomer(), "true"))
        host.machine.write(str(system), bundle)
        host.machine.write("/etc/ssl/private-authority.pem", (env.testbed.authority.parent / "stranger.pem").read_text())
        host.service.stop()
        host.begin()
        refused(host.ssh(env.newcomer(), "id"), "could not be reached")
    return record["ENTRALOGIN_DETAIL"]


def with_names_from_dns(env: Environment, host: Host, fault: str, value: Any = None) -> None:
    """Restarts the daemon with this fault in name resolution; after a restart libcurl remembers no address."""
    host.service.stop()
    env.azure.clear_faults()
    if fault:
        env.azure.set_fault(fault, "dns", value)
    host.begin()


@contextmanager
def with_name_server(env: Environment, name: str) -> Iterator[Host]:
    with nameless(env, name) as host:
        host.machine.write("/etc/resolv.conf", f"nameserver {Addresses.nameserver[0]}\n")
        begin_anew(env, host)
        admitted(host.ssh(env.newcomer(), "true"))
        require(env.azure.count("dns") > 0, "the name server was not asked")
        yield host


def refused_without_names(env: Environment, host: Host, fault: str) -> str:
    """Requires that the person is refused in time, and can sign in when names resolve again."""
    with_names_from_dns(env, host, fault)
    person = env.newcomer()
    mark = host.journal.mark()
    outcome = host.ssh(person, "id")
    refused(outcome, "could not be reached")
    require(outcome.milliseconds < LIMIT_MS, f"{fault}: {outcome.milliseconds:.0f} ms")
    host.journal.wait(mark, event="account", user=person.login, decision="deny")
    env.azure.clear_faults()
    host.pass_by(60, wall=False)  # the daemon skips hosts that failed for half a minute
    wait_for(lambda: host.ssh(person, "true").ok, "the person to get in")
    return f"{fault}: refused after {outcome.milliseconds:.0f} ms"


@case("P9", "names that resolve slowly or now and then: in; not at all: refused, and in again when they do")
def names(env: Environment) -> str:
    with with_name_server(env, "dns") as host:
        with_names_from_dns(env, host, "latency", 400)
        slow = host.ssh(env.newcomer(), "true")
        admitted(slow)
        with_names_from_dns(env, host, "every-other")
        admitted(host.ssh(env.newcomer(), "true"))
        seen = refused_without_names(env, host, "server-error")
    return f"slow names: in after {slow.milliseconds:.0f} ms; {seen}"


@case("P9", "a name server that is silent: refused in time, and in again when it answers", deep=True)
def silent_names(env: Environment) -> str:
    with with_name_server(env, "silentdns") as host:
        return refused_without_names(env, host, "silent")


@case("P9", "a byte every 100 ms: refused in time, the next one gets in", deep=True)
def honey(env: Environment) -> str:
    with env.fresh("honey") as host:
        milliseconds = refused_with(env, host, "drip", 100, {"unreachable"})
        host.pass_by(60, wall=False)
        and_then_admitted(env, host)
    return f"refused after {milliseconds:.0f} ms"
