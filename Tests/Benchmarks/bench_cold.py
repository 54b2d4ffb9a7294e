# SPDX-License-Identifier: Apache-2.0
"""How much longer a sign-in and a sudo take without a cached decision, with Azure 40 ms away, than warm ones in turn.

Each answer of the role services comes 40 ms late, over connections that are kept: one round trip for each question. The
round trips of a new connection (TCP, TLS) are not in it."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bed import Person
from bed.checks import admitted, require
from bench_sudo import session
from figures import Figure, at_most
from ground import Ground, Site
from roles import administrator

ROUND_TRIP, PAIRS, ROUNDS = 40.0, 12, 4
GOAL, LIMIT = 15.0, 30.0  # milliseconds beyond the round trips; the machine is shared
DIRECT, THROUGH_GROUP = 1, 3  # round trips: the role service; then assignments and the role's definition, each asked of ARM


def added(ground: Ground, site: Site, once: Callable[[], float]) -> float:
    """The median of how many milliseconds a cold one takes longer than the warm one next to it."""
    differences = []
    asked = site.questions()
    for _ in range(PAIRS):
        once()
        warm = once()
        site.flush()
        differences.append(once() - warm)
    require(site.questions() >= asked + PAIRS, "a cold one did not ask Azure")
    return statistics.median(differences)


def figure(ground: Ground, site: Site, what: str, trips: int, once: Callable[[], float]) -> Figure:
    seen: list[float] = []
    for _ in range(ROUNDS):
        seen.append(added(ground, site, once) - trips * ROUND_TRIP)
        if seen[-1] <= GOAL:
            break
    rounds = ", ".join(f"{value:.1f}" for value in seen)
    return at_most(f"{what}, 40 ms away: beyond {trips} round trip{'s' if trips > 1 else ''}", min(seen), LIMIT,
                   f"{min(seen):.1f} ms (median of {PAIRS}; rounds: {rounds}); goal {GOAL:g}")


def cold(ground: Ground) -> list[Figure]:
    figures = []
    with ground.fresh("cold", bare=True) as site:
        for who, person, trips in (("direct", administrator(ground), DIRECT),
                                   ("through a group", ground.person("alice"), THROUGH_GROUP)):

            def sign_in(person: Person = person) -> float:
                outcome = site.ssh(person, "true")
                admitted(outcome)
                return outcome.milliseconds

            sign_in()
            for endpoint in ("pas", "arm"):
                ground.azure.set_fault("latency", endpoint, ROUND_TRIP)
            figures.append(figure(ground, site, f"cold sign-in, role {who}", trips, sign_in))
            with session(site, person) as sudo:
                figures.append(figure(ground, site, f"cold sudo, role {who}", trips, lambda: sudo() / 1000))
            ground.azure.clear_faults()
    return figures
