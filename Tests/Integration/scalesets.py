# SPDX-License-Identifier: Apache-2.0
"""P1 and P5 on scale sets: from where roles are inherited, and an instance that comes back with a new disk or with its own."""

from __future__ import annotations

from bed import Person
from bed.checks import admitted, equal, refused, require
from bed.machine import wait_for
from case import case
from ground import Ground, Site
from simulator import contoso

FLEXIBLE = f"{contoso.RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/farm_1a2b3c"
ABOVE = ("instance", "scale-set", "resource-group", "subscription", "management-group")
ANOTHER_SET = contoso.SCALE_SET.replace("/farm", "/farmhouse")


def holder(ground: Ground, scope: str) -> Person:
    """A person who holds the User role at this scope and nowhere else."""
    person = ground.newcomer()
    ground.withdraw(person)
    ground.azure.assign(ground.key_of(person), contoso.USER, scope)
    return person


def asked_about(site: Site, after: int = 0) -> set[str]:
    return {r["path"].partition("/providers/Microsoft.Authorization")[0] for r in site.requests("pas")[after:]}


@case("P1", "a uniform instance inherits from its set, group, subscription and management group; a flexible one is a VM")
def inherited(ground: Ground) -> str:
    with ground.azure.machine(resource_id=contoso.SCALE_SET_INSTANCE, name="farm_3"), ground.fresh("uniform") as site:
        for scope in ABOVE:
            admitted(site.ssh(holder(ground, scope), "true"))
        for scope in ("machine", ANOTHER_SET, f"{contoso.SCALE_SET}/virtualMachines/33"):
            refused(site.ssh(holder(ground, scope), "id"), "role not assigned", contoso.SCALE_SET_INSTANCE)
        equal(asked_about(site), {contoso.SCALE_SET_INSTANCE}, "resources asked about")
    with ground.azure.machine(resource_id=FLEXIBLE, name="farm_1a2b3c"), ground.fresh("flexible") as site:
        admitted(site.ssh(holder(ground, "resource-group"), "true"))
        admitted(site.ssh(holder(ground, FLEXIBLE), "true"))
        refused(site.ssh(holder(ground, "scale-set"), "id"), "role not assigned")
    return ", ".join(ABOVE)


def restarted(ground: Ground, site: Site) -> None:
    site.service.stop()
    site.begin()
    site.stamped()


@case("P5", "an instance reimaged: with its disk, accounts keep their numbers; without, nothing of before is known", deep=True)
def reimaged(ground: Ground) -> str:
    person = ground.newcomer()
    ground.azure.assign(ground.key_of(person), contoso.USER, "scale-set")
    instance = {"resource_id": contoso.SCALE_SET_INSTANCE, "name": "farm_3"}
    with ground.azure.machine(**instance):
        with ground.fresh("keeps") as site:
            uid = admitted(site.ssh(person, "id -u; echo hers >file")).strip()
            with ground.azure.machine(vm_id="7ac41e00-0000-4000-8000-000000000002"):
                restarted(ground, site)
                equal(admitted(site.ssh(person, "id -u; cat file")), f"{uid}\nhers\n", "the account on the kept disk")
        with ground.azure.machine(vm_id="7ac41e00-0000-4000-8000-000000000003"), ground.fresh("bare-disk") as site:
            require(not site.enrolled(person.login), "an account of the former disk is known")
            equal(admitted(site.ssh(person, "id -u; ls")), f"{uid}\n", "the account on the new disk")
    return f"{person.login} is {uid} on both"


@case("P1", "a machine made from another's disk is never taken for what the other one was, slow metadata or not")
def cloned(ground: Ground) -> str:
    with ground.fresh("clone") as site:
        person = holder(ground, "machine")
        admitted(site.ssh(person, "true"))
        site.service.stop()
        with ground.azure.machine(resource_id=FLEXIBLE, name="farm_1a2b3c"):
            before = len(site.requests("pas"))
            with ground.azure.fault("latency", "imds", 700):
                site.service.start()
                refused(site.ssh(person, "id"))
            wait_for(lambda: site.service.status().startswith("Serving"), "the daemon to know the machine")
            refused(site.ssh(person, "id"), "role not assigned", FLEXIBLE)
            equal(asked_about(site, before), {FLEXIBLE}, "resources asked about")
        restarted(ground, site)
        admitted(site.ssh(person, "true"))
    return "asked about itself only"
