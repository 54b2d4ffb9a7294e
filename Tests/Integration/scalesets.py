# SPDX-License-Identifier: Apache-2.0
"""P1 and P5 on scale sets: from which scopes an instance inherits roles; an instance reimaged with its own or a new disk."""

from __future__ import annotations

from case import case
from environment import Environment, Host
from simulator import contoso
from testbed import Person
from testbed.checks import admitted, equal, refused, require
from testbed.machine import wait_for

FLEXIBLE = f"{contoso.RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/farm_1a2b3c"
ABOVE = ("instance", "scale-set", "resource-group", "subscription", "management-group")
ANOTHER_SET = contoso.SCALE_SET.replace("/farm", "/farmhouse")


def holder(env: Environment, scope: str) -> Person:
    """A person who holds the User role at this scope and nowhere else."""
    person = env.newcomer()
    env.withdraw(person)
    env.azure.assign(env.key_of(person), contoso.USER, scope)
    return person


def asked_about(host: Host, after: int = 0) -> set[str]:
    return {r["path"].partition("/providers/Microsoft.Authorization")[0] for r in host.requests("pas")[after:]}


@case("P1", "a uniform instance inherits from its set, group, subscription and management group; a flexible one is a VM")
def inherited(env: Environment) -> str:
    with env.azure.machine(resource_id=contoso.SCALE_SET_INSTANCE, name="farm_3"), env.fresh("uniform") as host:
        for scope in ABOVE:
            admitted(host.ssh(holder(env, scope), "true"))
        for scope in ("machine", ANOTHER_SET, f"{contoso.SCALE_SET}/virtualMachines/33"):
            refused(host.ssh(holder(env, scope), "id"), "role not assigned", contoso.SCALE_SET_INSTANCE)
        equal(asked_about(host), {contoso.SCALE_SET_INSTANCE}, "resources asked about")
    with env.azure.machine(resource_id=FLEXIBLE, name="farm_1a2b3c"), env.fresh("flexible") as host:
        admitted(host.ssh(holder(env, "resource-group"), "true"))
        admitted(host.ssh(holder(env, FLEXIBLE), "true"))
        refused(host.ssh(holder(env, "scale-set"), "id"), "role not assigned")
    return ", ".join(ABOVE)


def restarted(env: Environment, host: Host) -> None:
    host.service.stop()
    host.begin()
    host.stamped()


@case("P5", "an instance reimaged: with its disk, accounts keep their numbers; without, nothing of before is known", deep=True)
def reimaged(env: Environment) -> str:
    person = env.newcomer()
    env.azure.assign(env.key_of(person), contoso.USER, "scale-set")
    instance = {"resource_id": contoso.SCALE_SET_INSTANCE, "name": "farm_3"}
    with env.azure.machine(**instance):
        with env.fresh("keeps") as host:
            uid = admitted(host.ssh(person, "id -u; echo hers >file")).strip()
            with env.azure.machine(vm_id="7ac41e00-0000-4000-8000-000000000002"):
                restarted(env, host)
                equal(admitted(host.ssh(person, "id -u; cat file")), f"{uid}\nhers\n", "the account on the kept disk")
        with env.azure.machine(vm_id="7ac41e00-0000-4000-8000-000000000003"), env.fresh("bare-disk") as host:
            require(not host.enrolled(person.login), "an account of the former disk is known")
            equal(admitted(host.ssh(person, "id -u; ls")), f"{uid}\n", "the account on the new disk")
    return f"{person.login} is {uid} on both"


@case("P1", "a machine made from another's disk is never taken for what the other one was, slow metadata or not")
def cloned(env: Environment) -> str:
    with env.fresh("clone") as host:
        person = holder(env, "machine")
        admitted(host.ssh(person, "true"))
        host.service.stop()
        with env.azure.machine(resource_id=FLEXIBLE, name="farm_1a2b3c"):
            before = len(host.requests("pas"))
            with env.azure.fault("latency", "imds", 700):
                host.service.start()
                refused(host.ssh(person, "id"))
            wait_for(lambda: host.service.status().startswith("Serving"), "the daemon to know the machine")
            refused(host.ssh(person, "id"), "role not assigned", FLEXIBLE)
            equal(asked_about(host, before), {FLEXIBLE}, "resources asked about")
        restarted(env, host)
        admitted(host.ssh(person, "true"))
    return "asked about itself only"
