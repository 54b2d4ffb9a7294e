# SPDX-License-Identifier: Apache-2.0
"""P1 and P4: the three clouds by their true host names, and one that is in no table: the daemon finds them without a setting,
and a certificate of one never works in another."""

from __future__ import annotations

from collections.abc import Sequence

from bed import Person
from bed.checks import admitted, equal, refused, require
from bed.person import ask_entra
from case import case, cases
from credentials import shut_out
from ground import Ground, Site
from simulator.clouds import CLOUDS, PUBLIC, Cloud
from simulator.sshkeys import public_line

ALL = tuple(CLOUDS.values())
# Spellings that the metadata service may use: letter case differs between documents and machines.
SPELLED = {"AzureUSGovernmentCloud": "AZUREUSGOVERNMENTCLOUD", "AzureChinaCloud": "azurechinacloud"}


def certified(ground: Ground, key: str, cloud: Cloud) -> Person:
    """The person with a certificate of that cloud's Entra: tenant, object id and name are the same in all clouds, so that only
    the signature differs."""
    person = ground.person(key)
    who = ground.bed.directory.principals[key]
    body = ask_entra(who, public_line(person.identity), ground.bed.authority, cloud)
    return person.holding(f"ssh-rsa-cert-v01@openssh.com {body} {who.login}", cloud.name)


def names_asked(site: Site) -> set[str]:
    return {r["host"] for r in site.requests() if r["endpoint"] in ("keys", "pas", "arm")}


def only_its_own(ground: Ground, cloud: Cloud) -> None:
    """Requires on a machine of that cloud: its certificate works, those of the others do not, and no other host is asked."""
    key = ground.key_of(ground.newcomer())
    with ground.azure.machine(cloud=SPELLED.get(cloud.name, cloud.name)), ground.fresh(cloud.name.lower()) as site:
        for other in ALL:
            if other is not cloud:
                shut_out(site.ssh(certified(ground, key, other), "id"))
        require(not site.enrolled(ground.person(key).login), "enrolled by another cloud's certificate")
        mine = certified(ground, key, cloud)
        admitted(site.ssh(mine, "id -un"), f"{mine.login}\n")
        asked = names_asked(site)
    allowed = {cloud.login, cloud.pas, cloud.arm}  # ARM confirms that a user is no administrator
    if cloud.name not in (c.name for c in ALL[:3]):
        allowed |= {PUBLIC.login}  # where the configuration of an unknown cloud's tenant is read
    require(asked <= allowed and cloud.pas in asked, f"{cloud.name}: asked {sorted(asked)}")


@cases("P4", "each cloud by its true hosts, without a setting: its own certificates work, those of the others never",
       ALL[1:], every=2)  # every other case is the public one
def every_cloud(ground: Ground, clouds: Sequence[Cloud]) -> str:
    for cloud in clouds:
        only_its_own(ground, cloud)
    with ground.fresh("public") as site:
        key = ground.key_of(ground.newcomer())
        for other in ALL[1:]:
            shut_out(site.ssh(certified(ground, key, other), "id"))
        admitted(site.ssh(ground.person(key), "true"))
    return f"{1 + len(clouds)} of {len(ALL)} clouds; {(1 + len(clouds)) * (len(ALL) - 1)} foreign certificates refused"


@case("P1", "a tenant's configuration that names another role service or cloud is told, and never followed")
def cross_check(ground: Ground) -> str:
    ground.azure.set_fault("other-role-host", "keys", "https://pas.future.example")
    with ground.fresh("crosscheck") as site:
        person = ground.newcomer()
        admitted(site.ssh(person, "true"))
        status = told(site, "pas.future.example")
        require("pas.future.example" not in names_asked(site), f"asked {names_asked(site)}")
    ground.azure.clear_faults()
    with ground.azure.machine(tenants_cloud="AzureUSGovernmentCloud"), ground.fresh("tenant-elsewhere") as site:
        told(site, "microsoftonline.us")
    return status


def told(site: Site, word: str) -> str:
    """Requires that `status` and `doctor` both say so."""
    seen = ""
    for tool in ("status", "doctor"):
        text = site.tool(tool).text
        seen = next((line.strip() for line in text.splitlines() if word in line), "")
        require(bool(seen), f"{tool} does not name {word}: {text}")
    return seen


@case("P1", "every host of a cloud can be set: another cloud's machine is served by what the administrator names")
def overridden(ground: Ground) -> str:
    future = CLOUDS["azurefuturecloud"]
    settings = (f"[Azure]\nLoginEndpoint=https://{future.login}\nPolicyEndpoint=https://{future.pas}\n"
                f"ResourceManagerEndpoint=https://{future.arm}\nAccessCheckers=arm pas\n")
    with ground.azure.machine(cloud=future.name), ground.fresh("overridden", settings=settings) as site:
        key = ground.key_of(ground.newcomer())
        admitted(site.ssh(certified(ground, key, future), "true"))
        equal(names_asked(site) - {future.login}, {future.arm}, "hosts asked about roles")
        refused(site.ssh(certified(ground, "carol", future), "id"), "role not assigned")
    return f"{future.login} and {future.arm}"
