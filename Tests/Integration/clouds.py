# SPDX-License-Identifier: Apache-2.0
"""P1 and P4: the three clouds by their true host names, and one that is in no table: the daemon finds them without a setting,
and a certificate of one never works in another."""

from __future__ import annotations

from collections.abc import Sequence

from case import case, cases
from credentials import shut_out
from environment import Environment, Host
from simulator.clouds import CLOUDS, PUBLIC, Cloud
from simulator.sshkeys import public_line
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.person import ask_entra

ALL = tuple(CLOUDS.values())
# Spellings that the metadata service may use: letter case differs between documents and machines.
SPELLED = {"AzureUSGovernmentCloud": "AZUREUSGOVERNMENTCLOUD", "AzureChinaCloud": "azurechinacloud"}


def certified(env: Environment, key: str, cloud: Cloud) -> Person:
    """The person with a certificate of that cloud's Entra: tenant, object id and name are the same in all clouds, so that only
    the signature differs."""
    person = env.person(key)
    who = env.testbed.directory.principals[key]
    body = ask_entra(who, public_line(person.identity), env.testbed.authority, cloud)
    return person.holding(f"ssh-rsa-cert-v01@openssh.com {body} {who.login}", cloud.name)


def names_asked(host: Host) -> set[str]:
    return {r["host"] for r in host.requests() if r["endpoint"] in ("keys", "pas", "arm")}


def only_its_own(env: Environment, cloud: Cloud) -> None:
    """Requires on a machine of that cloud: its certificate works, those of the others do not, and no other host is asked."""
    key = env.key_of(env.newcomer())
    with env.azure.machine(cloud=SPELLED.get(cloud.name, cloud.name)), env.fresh(cloud.name.lower()) as host:
        for other in ALL:
            if other is not cloud:
                shut_out(host.ssh(certified(env, key, other), "id"))
        require(not host.enrolled(env.person(key).login), "enrolled by another cloud's certificate")
        mine = certified(env, key, cloud)
        admitted(host.ssh(mine, "id -un"), f"{mine.login}\n")
        asked = names_asked(host)
    allowed = {cloud.login, cloud.pas, cloud.arm}  # ARM confirms that a user is no administrator
    if cloud.name not in (c.name for c in ALL[:3]):
        allowed |= {PUBLIC.login}  # where the configuration of an unknown cloud's tenant is read
    require(asked <= allowed and cloud.pas in asked, f"{cloud.name}: asked {sorted(asked)}")


@cases("P4", "each cloud by its true hosts, without a setting: its own certificates work, those of the others never",
       ALL[1:], every=2)  # all other cases of the suite run in the public cloud
def every_cloud(env: Environment, clouds: Sequence[Cloud]) -> str:
    for cloud in clouds:
        only_its_own(env, cloud)
    with env.fresh("public") as host:
        key = env.key_of(env.newcomer())
        for other in ALL[1:]:
            shut_out(host.ssh(certified(env, key, other), "id"))
        admitted(host.ssh(env.person(key), "true"))
    return f"{1 + len(clouds)} of {len(ALL)} clouds; {(1 + len(clouds)) * (len(ALL) - 1)} foreign certificates refused"


@case("P1", "a tenant's configuration that names another role service or cloud is told, and never followed")
def cross_check(env: Environment) -> str:
    env.azure.set_fault("other-role-host", "keys", "https://pas.future.example")
    with env.fresh("crosscheck") as host:
        person = env.newcomer()
        admitted(host.ssh(person, "true"))
        status = told(host, "pas.future.example")
        require("pas.future.example" not in names_asked(host), f"asked {names_asked(host)}")
    env.azure.clear_faults()
    with env.azure.machine(tenants_cloud="AzureUSGovernmentCloud"), env.fresh("tenant-elsewhere") as host:
        told(host, "microsoftonline.us")
    return status


def told(host: Host, word: str) -> str:
    """Requires that `status` and `doctor` both name the word; returns doctor's line."""
    seen = ""
    for tool in ("status", "doctor"):
        text = host.tool(tool).text
        seen = next((line.strip() for line in text.splitlines() if word in line), "")
        require(bool(seen), f"{tool} does not name {word}: {text}")
    return seen


@case("P1", "every host of a cloud can be set: another cloud's machine is served by what the administrator names")
def overridden(env: Environment) -> str:
    future = CLOUDS["azurefuturecloud"]
    settings = (f"[Azure]\nLoginEndpoint=https://{future.login}\nPolicyEndpoint=https://{future.pas}\n"
                f"ResourceManagerEndpoint=https://{future.arm}\nAccessCheckers=arm pas\n")
    with env.azure.machine(cloud=future.name), env.fresh("overridden", settings=settings) as host:
        key = env.key_of(env.newcomer())
        admitted(host.ssh(certified(env, key, future), "true"))
        equal(names_asked(host) - {future.login}, {future.arm}, "hosts asked about roles")
        refused(host.ssh(certified(env, "carol", future), "id"), "role not assigned")
    return f"{future.login} and {future.arm}"
