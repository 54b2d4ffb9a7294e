# SPDX-License-Identifier: Apache-2.0
"""The fixture: the tenant contoso, its people, its machine, and who may sign in to it."""

from __future__ import annotations

from .directory import Directory, Group, Kind, Principal, RoleDefinition

TENANT = "c0ffee00-0000-4000-8000-0000c0470500"
OTHER_TENANT = "fab00000-0000-4000-8000-0000fab21ca0"  # fabrikam: same cloud, same keys, not the machine's tenant

MANAGEMENT_GROUP = "/providers/Microsoft.Management/managementGroups/contoso"
SUBSCRIPTION_ID = "5b5c0000-0000-4000-8000-000000000001"
SUBSCRIPTION = f"/subscriptions/{SUBSCRIPTION_ID}"
RESOURCE_GROUP = f"{SUBSCRIPTION}/resourceGroups/web"
MACHINE_NAME = "contoso-vm"
MACHINE = f"{RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachines/{MACHINE_NAME}"
ARC_MACHINE = f"{RESOURCE_GROUP}/providers/Microsoft.HybridCompute/machines/{MACHINE_NAME}"
SCALE_SET = f"{RESOURCE_GROUP}/providers/Microsoft.Compute/virtualMachineScaleSets/farm"
SCALE_SET_INSTANCE = f"{SCALE_SET}/virtualMachines/3"
SCOPES = {
    "tenant": "/",
    "management-group": MANAGEMENT_GROUP,
    "subscription": SUBSCRIPTION,
    "resource-group": RESOURCE_GROUP,
    "machine": MACHINE,
    "arc": ARC_MACHINE,
    "scale-set": SCALE_SET,
    "instance": SCALE_SET_INSTANCE,
}

USER = "Virtual Machine User Login"
ADMINISTRATOR = "Virtual Machine Administrator Login"
CHECK_ACCESS_READER = "Connected Cluster Managed Identity CheckAccess Reader"

_VM, _ARC = "Microsoft.Compute/virtualMachines", "Microsoft.HybridCompute/machines"
ROLES = {
    r.role_id: r
    for r in (
        RoleDefinition(
            "1c0163c0-47e6-4577-8991-ea5c82e286e4", ADMINISTRATOR, actions=("*/read",),
            data_actions=(f"{_VM}/login/action", f"{_VM}/loginAsAdmin/action",
                          f"{_ARC}/login/action", f"{_ARC}/loginAsAdmin/action"),
        ),
        RoleDefinition(
            "fb879df8-f326-4884-b1cf-06f3ad86be52", USER, actions=("*/read",),
            data_actions=(f"{_VM}/login/action", f"{_ARC}/login/action"),
        ),
        RoleDefinition("8e3af657-a8ff-443c-a75c-2fe8c4bcb635", "Owner", actions=("*",)),
        RoleDefinition(
            "b24988ac-6180-42a0-ab88-20f7382dd24c", "Contributor", actions=("*",),
            not_actions=("Microsoft.Authorization/*/Delete", "Microsoft.Authorization/*/Write"),
        ),
        RoleDefinition("acdd72a7-3385-48ef-bd42-f606fba81ae7", "Reader", actions=("*/read",)),
        RoleDefinition("65a14201-8f6c-4c28-bec4-12619c5a9aaa", CHECK_ACCESS_READER,
                       actions=("Microsoft.Authorization/*/read",)),
        # Not a built-in role. Tests use it to show that loginAsAdmin without login does not allow a sign-in.
        RoleDefinition(
            "0dd00000-0000-4000-8000-000000000001", "Admin action only",
            data_actions=(f"{_VM}/loginAsAdmin/action", f"{_ARC}/loginAsAdmin/action"),
        ),
    )
}


def object_id(number: int) -> str:
    return f"0b1ec700-0000-4000-8000-{number:012x}"


def _person(number: int, key: str, display: str, name: str = "", kind: Kind = Kind.USER) -> Principal:
    return Principal(key, object_id(number), kind, name or f"{key}@contoso.com", display)


MACHINE_IDENTITY = Principal("machine", object_id(1), Kind.MANAGED_IDENTITY, object_id(1), MACHINE_NAME)

# The machine also has this user-assigned identity; an administrator selects it by its client id.
AGENT_IDENTITY = Principal("agent", object_id(2), Kind.MANAGED_IDENTITY, object_id(2), "fleet agent",
                           client_id="c11e0000-0000-4000-8000-000000000002")

PEOPLE = (
    _person(0xA1, "alice", "Alice Administrator"),  # Administrator, through a group inside a group
    _person(0xB0, "bob", "Bob User"),
    _person(0xC0, "carol", "Carol Nobody"),  # no role
    _person(0x0A, "olga", "Olga Owner"),  # Owner and Contributor: neither lets her sign in
    _person(0xD0, "dave", "Dave Elsewhere"),  # the role, but his certificate is of the other tenant
    _person(0xE0, "erin", "Erin Expired"),  # the role, but her certificate has expired
    _person(0xF0, "frank", "Frank Homeless"),  # a local account's home is /home/frank@contoso.com
    _person(0x6E, "gina", "Gina Guest", "gina@fabrikam.com", Kind.GUEST),
    _person(0x4E, "heidi", "Heidi Höhe", "Heidi@Contoso.com"),  # a name with capitals, a display name beyond ASCII
    _person(0x1A, "ivan", "Ivan Half"),  # loginAsAdmin without login
    Principal("svc", object_id(0x5C), Kind.SERVICE_PRINCIPAL, object_id(0x5C), "deploy pipeline",
              client_id="c11e0000-0000-4000-8000-00000000005c", client_secret="svc-secret"),
    Principal("mi", object_id(0x31), Kind.MANAGED_IDENTITY, object_id(0x31), "build agent",
              client_id="c11e0000-0000-4000-8000-000000000031", client_secret="mi-secret"),
    MACHINE_IDENTITY,
    AGENT_IDENTITY,
)

OPERATORS = Group("9f0a0000-0000-4000-8000-000000000001", "operators", frozenset({object_id(0xA1)}))
PLATFORM = Group("9f0a0000-0000-4000-8000-000000000002", "platform", frozenset({OPERATORS.object_id}))

# Groups without a role. Members of the first are also members of the second.
DEVELOPERS = Group("9f0a0000-0000-4000-8000-000000000003", "developers", frozenset())
ENGINEERS = Group("9f0a0000-0000-4000-8000-000000000004", "engineers", frozenset({DEVELOPERS.object_id}))


def directory(numbered: int = 0) -> Directory:
    """The tenant as it is before a test changes it, with `numbered` people who hold the User role."""
    people = {p.key: p for p in PEOPLE}
    for n in range(numbered):
        people[f"user{n}"] = _person(0x10000 + n, f"user{n}", f"User {n}")
    tenant = Directory(
        TENANT, MANAGEMENT_GROUP, frozenset({SUBSCRIPTION}), frozenset({MACHINE, ARC_MACHINE, SCALE_SET_INSTANCE}),
        ROLES, people, [OPERATORS, PLATFORM, DEVELOPERS, ENGINEERS], [],
    )
    held = [
        (PLATFORM.object_id, ADMINISTRATOR, "resource-group"),
        (people["bob"].object_id, USER, "machine"),
        (people["olga"].object_id, "Owner", "subscription"),
        (people["olga"].object_id, "Contributor", "machine"),
        (people["dave"].object_id, USER, "machine"),
        (people["erin"].object_id, USER, "subscription"),
        (people["frank"].object_id, USER, "management-group"),
        (people["gina"].object_id, USER, "machine"),
        (people["heidi"].object_id, USER, "machine"),
        (people["ivan"].object_id, "Admin action only", "machine"),
        (people["svc"].object_id, USER, "machine"),
        (people["mi"].object_id, USER, "resource-group"),
        (MACHINE_IDENTITY.object_id, "Reader", "machine"),
        (MACHINE_IDENTITY.object_id, "Reader", "arc"),
        *((p.object_id, USER, "machine") for k, p in people.items() if k.startswith("user")),
    ]
    for who, role, scope in held:
        tenant.assign(who, role, SCOPES[scope])
    return tenant
