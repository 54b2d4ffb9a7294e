# SPDX-License-Identifier: Apache-2.0
"""Who exists in the tenant, and who holds which role where (azure.md, "The role check")."""

from __future__ import annotations

import fnmatch
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    USER = "User"
    GUEST = "Guest"
    SERVICE_PRINCIPAL = "ServicePrincipal"
    MANAGED_IDENTITY = "ManagedIdentity"


@dataclass(frozen=True)
class Principal:
    """A user or other identity that can hold a role. Entra writes `sign_in_name` as the certificate's principal."""

    key: str
    object_id: str
    kind: Kind
    sign_in_name: str
    display_name: str
    client_id: str = ""
    client_secret: str = ""

    @property
    def login(self) -> str:
        """The name that `az ssh` logs in with: the certificate's principal in lower case."""
        return self.sign_in_name.lower()


@dataclass(frozen=True)
class Group:
    object_id: str
    name: str
    members: frozenset[str]


@dataclass(frozen=True)
class RoleDefinition:
    role_id: str
    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()

    def grants(self, action: str, is_data_action: bool) -> bool:
        yes, no = (
            (self.data_actions, self.not_data_actions) if is_data_action else (self.actions, self.not_actions)
        )
        return _matches(action, yes) and not _matches(action, no)


@dataclass(frozen=True)
class Assignment:
    """A role (or, in the list of denials, its denial) for one principal or group at one scope."""

    assignment_id: str
    principal_id: str
    role_id: str
    scope: str
    condition: str | None = None


@dataclass(frozen=True)
class Decision:
    allowed: bool
    assignment: Assignment | None = None
    denial: Assignment | None = None


@dataclass
class Directory:
    """One tenant. The control endpoint changes it while other threads answer requests."""

    tenant_id: str
    management_group: str
    subscriptions: frozenset[str]
    resources: frozenset[str]
    roles: dict[str, RoleDefinition]
    principals: dict[str, Principal]
    groups: list[Group]
    assignments: list[Assignment]
    denials: list[Assignment] = field(default_factory=list)
    disabled: set[str] = field(default_factory=set)  # object ids; PAS checks this here; whether Azure's does is not known
    unseen: set[str] = field(default_factory=set)  # those of `disabled` that PAS does not check
    deleted: set[str] = field(default_factory=set)  # object ids; their assignments stay
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _serial: int = 0

    def by_object_id(self, object_id: str) -> Principal | None:
        wanted = object_id.lower()
        return next((p for p in self.principals.values() if p.object_id == wanted), None)

    def role_named(self, name: str) -> RoleDefinition:
        return next(r for r in self.roles.values() if r.name.lower() == name.lower())

    def identities(self, object_id: str, expand_groups: bool) -> set[str]:
        """The object id itself and, when groups are expanded, every group that holds it, however deep."""
        found = {object_id.lower()}
        while expand_groups:
            more = {g.object_id for g in self.groups if g.members & found} - found
            if not more:
                break
            found |= more
        return found

    def applies_at(self, scope: str, resource_id: str) -> bool:
        """Whether an assignment at `scope` is inherited by the resource."""
        above, below = scope.lower().rstrip("/"), resource_id.lower()
        if above == self.management_group.lower():
            return any(_is_within(below, s.lower()) for s in self.subscriptions)
        return _is_within(below, above)

    def decide(self, object_id: str, expand: bool, action: str, is_data_action: bool, resource_id: str) -> Decision:
        who = self.identities(object_id, expand)
        with self._lock:
            assignments, denials = list(self.assignments), list(self.denials)
        relevant = [
            [
                a
                for a in table
                if a.principal_id in who
                and a.condition is None
                and self.applies_at(a.scope, resource_id)
                and self.roles[a.role_id].grants(action, is_data_action)
            ]
            for table in (denials, assignments)
        ]
        if relevant[0]:
            return Decision(False, denial=relevant[0][0])
        return Decision(bool(relevant[1]), assignment=relevant[1][0] if relevant[1] else None)

    def assigned_to(self, object_id: str | None, scope: str, denied: bool = False) -> list[Assignment]:
        """Assignments at or above the scope: with an object id those of this principal and its groups, as with the filter
        `assignedTo`; without one those of all principals, as with `atScope()`."""
        who = None if object_id is None else self.identities(object_id, expand_groups=True)
        with self._lock:
            table = list(self.denials if denied else self.assignments)
        return [a for a in table if (who is None or a.principal_id in who) and self.applies_at(a.scope, scope)]

    def kind_of(self, object_id: str) -> str:
        """`principalType` of role assignments."""
        if any(g.object_id == object_id for g in self.groups):
            return "Group"
        found = self.by_object_id(object_id)
        return "User" if found is None or found.kind in (Kind.USER, Kind.GUEST) else "ServicePrincipal"

    def subscriptions_of(self, object_id: str) -> list[str]:
        """The subscriptions in which a principal holds any role: on the subscription, above it, or on a resource in it."""
        who = self.identities(object_id, expand_groups=True)
        with self._lock:
            held = [a.scope.lower() for a in self.assignments if a.principal_id in who]
        return [s for s in sorted(self.subscriptions)
                if any(self.applies_at(scope, s) or _is_within(scope, s.lower()) for scope in held)]

    def define(self, role: RoleDefinition) -> None:
        with self._lock:
            self.roles = {**self.roles, role.role_id: role}

    def assign(
        self, principal_id: str, role: str, scope: str, deny: bool = False, condition: str | None = None
    ) -> None:
        role_id = self.role_named(role).role_id
        with self._lock:
            self._serial += 1
            added = Assignment(f"00000000-0000-4000-9000-{self._serial:012x}", principal_id, role_id, scope, condition)
            (self.denials if deny else self.assignments).append(added)

    def move(self, member: str, group: str, joins: bool) -> None:
        """Adds a principal or a group to a group, or removes it."""
        self.groups = [
            g if g.name != group else replace(g, members=g.members | {member} if joins else g.members - {member})
            for g in self.groups
        ]

    def withdraw(self, principal_id: str, role: str | None = None, scope: str | None = None) -> int:
        """Removes the assignments and denials that match; returns how many."""

        def stays(a: Assignment) -> bool:
            return not (
                a.principal_id == principal_id
                and (role is None or self.roles[a.role_id].name.lower() == role.lower())
                and (scope is None or a.scope.lower() == scope.lower())
            )

        with self._lock:
            before = len(self.assignments) + len(self.denials)
            self.assignments = [a for a in self.assignments if stays(a)]
            self.denials = [a for a in self.denials if stays(a)]
            return before - len(self.assignments) - len(self.denials)

    def rename(self, key: str, **changes: Any) -> None:
        """Changes a principal, for example to give an old name to a new object id."""
        self.principals[key] = replace(self.principals[key], **changes)


def _is_within(resource: str, scope: str) -> bool:
    return resource == scope or resource.startswith(scope + "/")


def _matches(action: str, patterns: Iterable[str]) -> bool:
    # Role definitions know one wildcard, the asterisk, and compare without regard to case.
    return any(fnmatch.fnmatchcase(action.lower(), p.lower().replace("[", "[[]")) for p in patterns)
