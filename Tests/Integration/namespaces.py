# SPDX-License-Identifier: Apache-2.0
"""P13 and P7: names inside user namespaces, where the owner of the published files has no mapped uid."""

from __future__ import annotations

from case import case
from environment import Environment
from testbed.checks import admitted, equal, require

PUBLISHED = "/var/lib/entralogin/nss/accounts.snapshot"
# User namespaces like those of sandboxes and rootless containers: with only the user's own uid, or only root.
INSIDE = (
    "unshare --user --map-current-user id -un",
    "unshare --user --map-root-user getent passwd $(id -un) | cut -d: -f1",
    "unshare --user --map-current-user id -Gn",
)


@case("P13", "inside a user namespace an Entra account has its name, record and groups; a file that nobody owns is refused")
def inside(env: Environment) -> str:
    with env.fresh("namespaces") as host:
        person = env.newcomer()
        said = admitted(host.ssh(person, "; ".join(INSIDE))).splitlines()
        equal(said[:2], [person.login, person.login], "its name inside")
        require(said[2].split()[0] == person.login, f"its groups inside: {said[2]}")
        owner = host.machine.must("stat", "-c", "%u", PUBLISHED).out.strip()
        host.machine.must("chown", "65534", PUBLISHED)
        # As lisa, because root's processes would ask the daemon instead.
        outside = host.ssh(env.lisa, f"getent passwd {person.login}")
        equal((outside.status, outside.out), (2, ""), "what nobody owns is believed outside")
        host.machine.must("chown", owner, PUBLISHED)
    return said[0]
