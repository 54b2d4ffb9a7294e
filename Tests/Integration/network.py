# SPDX-License-Identifier: Apache-2.0
"""P1 and P12: the ways to Azure: proxies, IPv6, an own CA bundle, TLS, failing name resolution; the metadata service is always
asked directly."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from azure_faults import LIMIT_MS, and_then_admitted, refused_with
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from case import case
from ground import KEYS, SETTINGS, Ground, Site
from simulator.clouds import HOST_NAMES, PUBLIC
from simulator.proxy import PASSWORD, USER
from simulator.simulator import Addresses

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
def nameless(ground: Ground, name: str, hosts: str = ONLY_OURSELVES) -> Iterator[Site]:
    """A machine that knows only those of Azure's names that are in `hosts`, before the daemon is started."""
    with ground.fresh(name, started=False) as site:
        site.machine.write("/etc/hosts", hosts)
        site.machine.write("/etc/resolv.conf", "nameserver 127.20.0.99\n")
        site.machine.start_sshd(site.port)
        yield site


def begin_anew(ground: Ground, site: Site, settings: str = "", environment: dict[str, str] | None = None) -> None:
    """Restarts the daemon with these settings, as on a machine that never had keys; clears the request log."""
    site.service.stop()
    site.machine.remove(KEYS)
    site.machine.write(SETTINGS, settings)
    site.service.environment = site.environment() | (environment or {})
    ground.azure.forget_requests()
    site.begin()
    site.stamped()


def tunnelled(ground: Ground) -> set[str]:
    """The hosts that were reached through the proxy. Without Resource Manager, which confirms later that a user is no
    administrator."""
    hosts = {r["path"].rpartition(":")[0] for r in ground.azure.requests("proxy") if r["status"] == 200}
    return hosts - {PUBLIC.arm}


def by_proxy_only(ground: Ground, site: Site, what: str) -> None:
    """Requires that a new user can sign in, and that all requests to Azure's cloud, but none for metadata, used the proxy."""
    person = ground.newcomer()
    admitted(site.ssh(person, "true"))
    equal(tunnelled(ground), AZURE, f"{what}: hosts behind the proxy")
    asked = {r["path"] for r in ground.azure.requests("proxy")}
    require(not any("169.254" in path for path in asked), f"{what}: metadata through the proxy: {asked}")
    require(site.count("imds") > 0, f"{what}: no metadata")


def served_by_proxies(ground: Ground, urls: tuple[str, ...], variables: tuple[tuple[str, ...], ...]) -> str:
    """Tries each proxy by the settings, and the one with credentials by each set of environment variables."""
    with nameless(ground, "proxies") as site:
        for url in urls:
            begin_anew(ground, site, f"[Azure]\nProxy={url}\n")
            by_proxy_only(ground, site, url)
        for names in variables:
            begin_anew(ground, site, environment=dict.fromkeys(names, PROXIES[2]))
            by_proxy_only(ground, site, " ".join(names))
        text = site.journal.text() + site.tool("status").text + site.tool("config").text
        require(PASSWORD not in text and "correct%20horse" not in text, "the proxy's password is shown")
    return f"{len(urls)} kinds by settings, {len(variables)} by environment"


@case("P1", "an https proxy with credentials by settings, and an http one by the environment; metadata never by them")
def proxies(ground: Ground) -> str:
    return served_by_proxies(ground, PROXIES[3:], (("https_proxy", "http_proxy"),))


@case("P1", "all other kinds of proxies", deep=True)
def more_proxies(ground: Ground) -> str:
    return served_by_proxies(ground, PROXIES[:3], (("HTTPS_PROXY", "ALL_PROXY"), ("all_proxy",)))


@case("P1", "hosts of NoProxy= and no_proxy are asked directly, and a proxy that refuses is told", deep=True)
def past_the_proxy(ground: Ground) -> str:
    place = Addresses.entra[0]
    with nameless(ground, "noproxy", ONLY_OURSELVES + f"{place} {PUBLIC.login}\n") as site:
        begin_anew(ground, site, f"[Azure]\nProxy={PROXIES[0]}\nNoProxy={PUBLIC.login}\n")
        admitted(site.ssh(ground.newcomer(), "true"))
        equal(tunnelled(ground), {PUBLIC.pas}, "hosts behind the proxy, with NoProxy=")
        begin_anew(ground, site, environment={"https_proxy": PROXIES[0], "no_proxy": f"example.org,{PUBLIC.login}"})
        admitted(site.ssh(ground.newcomer(), "true"))
        equal(tunnelled(ground), {PUBLIC.pas}, "hosts behind the proxy, with no_proxy")
        wrong = proxy("http", Addresses.proxy_with_credentials, f"{USER}:wrong")
        begin_anew(ground, site, f"[Azure]\nProxy={wrong}\nNoProxy={PUBLIC.login}\n")
        person = ground.newcomer()
        mark = site.journal.mark()
        refused(site.ssh(person, "id"), "could not be reached")
        record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
        require("proxy failed" in record["ENTRALOGIN_DETAIL"] and "407" in record["ENTRALOGIN_DETAIL"], record)
        require("407" in site.tool("doctor").text, "doctor hides it")
    return record["ENTRALOGIN_DETAIL"]


@case("P1", "Azure by IPv6 alone")
def by_ipv6(ground: Ground) -> str:
    names = " ".join(name for of_role in HOST_NAMES.values() for name in of_role)
    with nameless(ground, "six", ONLY_OURSELVES + f"::1 {names}\n") as site:
        begin_anew(ground, site)
        admitted(site.ssh(ground.newcomer(), "true"))
        refused(site.ssh(ground.person("carol"), "id"), "role not assigned")
    return "in and refused"


@case("P1", "TLS: another host's certificate and TLS 1.1 are no answer, CAFile= takes the system's authorities' place", deep=True)
def tls(ground: Ground) -> str:
    own = ground.bed.authority.read_text()
    with ground.fresh("tlsrules") as site:
        known = ground.newcomer()
        admitted(site.ssh(known, "true"))
        for fault in ("wrong-host", "old-tls"):
            site.service.stop()  # the fault affects only new connections
            for endpoint in ("pas", "arm"):
                ground.azure.set_fault(fault, endpoint)
            site.begin()
            mark = site.journal.mark()
            person = ground.newcomer()
            refused(site.ssh(person, "id"), "could not be reached")
            record = site.journal.wait(mark, event="account", user=person.login, decision="deny")
            require("TLS failed" in record["ENTRALOGIN_DETAIL"], f"{fault}: {record['ENTRALOGIN_DETAIL']}")
            ground.azure.clear_faults()
        # A private authority that is not in the system's bundle; and the system's, where only a private one is trusted.
        system = Path("/etc/ssl/certs/ca-certificates.crt")
        site.machine.write(str(system), site.machine.read(str(system)).replace(own, ""))
        site.machine.write("/etc/ssl/private-authority.pem", own)
        begin_with = "[Azure]\nCAFile=/etc/ssl/private-authority.pem\n"
        begin_anew(ground, site, begin_with)
        admitted(site.ssh(ground.newcomer(), "true"))
        site.machine.write("/etc/ssl/private-authority.pem", (ground.bed.authority.parent / "stranger.pem").read_text())
        site.service.stop()
        site.begin()
        refused(site.ssh(ground.newcomer(), "id"), "could not be reached")
    return record["ENTRALOGIN_DETAIL"]


def with_names_from_dns(ground: Ground, site: Site, fault: str, value: Any = None) -> None:
    """Restarts the daemon, so that libcurl remembers no address, with this fault in name resolution."""
    site.service.stop()
    ground.azure.clear_faults()
    if fault:
        ground.azure.set_fault(fault, "dns", value)
    site.begin()


@contextmanager
def with_name_server(ground: Ground, name: str) -> Iterator[Site]:
    with nameless(ground, name) as site:
        site.machine.write("/etc/resolv.conf", f"nameserver {Addresses.nameserver[0]}\n")
        begin_anew(ground, site)
        admitted(site.ssh(ground.newcomer(), "true"))
        require(ground.azure.count("dns") > 0, "the name server was not asked")
        yield site


def refused_without_names(ground: Ground, site: Site, fault: str) -> str:
    """Requires that the person is refused in time, and can sign in when names resolve again."""
    with_names_from_dns(ground, site, fault)
    person = ground.newcomer()
    mark = site.journal.mark()
    outcome = site.ssh(person, "id")
    refused(outcome, "could not be reached")
    require(outcome.milliseconds < LIMIT_MS, f"{fault}: {outcome.milliseconds:.0f} ms")
    site.journal.wait(mark, event="account", user=person.login, decision="deny")
    ground.azure.clear_faults()
    site.pass_by(60, wall=False)  # the daemon skips hosts that failed for half a minute
    wait_for(lambda: site.ssh(person, "true").ok, "the person to get in")
    return f"{fault}: refused after {outcome.milliseconds:.0f} ms"


@case("P9", "names that resolve slowly or now and then: in; not at all: refused, and in again when they do")
def names(ground: Ground) -> str:
    with with_name_server(ground, "dns") as site:
        with_names_from_dns(ground, site, "latency", 400)
        slow = site.ssh(ground.newcomer(), "true")
        admitted(slow)
        with_names_from_dns(ground, site, "every-other")
        admitted(site.ssh(ground.newcomer(), "true"))
        seen = refused_without_names(ground, site, "server-error")
    return f"slow names: in after {slow.milliseconds:.0f} ms; {seen}"


@case("P9", "a name server that is silent: refused in time, and in again when it answers", deep=True)
def silent_names(ground: Ground) -> str:
    with with_name_server(ground, "silentdns") as site:
        return refused_without_names(ground, site, "silent")


@case("P9", "a byte every 100 ms: refused in time, the next one gets in", deep=True)
def honey(ground: Ground) -> str:
    with ground.fresh("honey") as site:
        milliseconds = refused_with(ground, site, "drip", 100, {"unreachable"})
        site.pass_by(60, wall=False)
        and_then_admitted(ground, site)
    return f"refused after {milliseconds:.0f} ms"
