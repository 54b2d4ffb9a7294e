# SPDX-License-Identifier: Apache-2.0
"""P16: one thing is broken at a time, and `doctor` and `explain` must say what then happens. A wrong answer fails the case,
unless known_lies.py lists it; a listed answer that has become right fails the case, too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from case import case
from known_lies import KNOWN, known
from state import State
from states_azure import azure, ways
from states_environment import StatesEnvironment
from states_files import files, folders, lines, state
from states_people import accounts, homes, pam, sshd, sudo
from states_seen import Seen
from states_settings import keys, settings
from states_survey import SOCKETS, STATE, PutFile, survey
from states_units import clocks, disks, units
from testbed.checks import Mismatch, equal, require

LEAST = 200  # states


def generate(found: list[PutFile]) -> Iterator[State]:
    return chain(lines(found), files(found), state(found), folders(found), settings(), units(found), disks(), clocks(), azure(),
                 ways(), sshd(), pam(), accounts(), homes(), sudo())


@case("P16", "nothing is broken: everybody gets in, doctor and explain say so, and the states cover what the daemon keeps")
def nothing(env: StatesEnvironment) -> str:
    seen, found = env.run(State("nothing", "is broken"))
    equal([lie.text for lie in found], [], "lies")
    equal((seen.out, seen.has_sudo, seen.before.status), ([], True, 0), f"kept out, sudo, doctor ({seen.after.said})")
    kept = env.vm.machine.must("find", "/var/lib/entralogin", "/var/lib/entralogin-sshd", "/run/entralogin",
                                  "!", "-type", "d").out.split()
    equal(sorted(set(kept) - {*STATE, *SOCKETS}), [], "what the daemon and its units keep, and no state breaks")
    require(len(STATES) >= LEAST, f"{len(STATES)} states")
    require(len({one.title for one in STATES}) == len(STATES), "two states have one name")
    require(len(keys()) >= 30, f"{len(keys())} settings")
    strangers = {name for one in KNOWN for name in one.states} - {one.title for one in STATES}
    equal(sorted(strangers), [], "known lies of no state")
    return f"{len(STATES)} states"


def run_state(state: State, env: StatesEnvironment) -> str:
    seen, found = env.run(state)
    expected = known(state.title)
    new = [lie.text for lie in found if lie.kind not in expected]
    gone = [kind for kind in expected if kind not in {lie.kind for lie in found}]
    if new:
        raise Mismatch(f"{', '.join(lie.kind for lie in found)}: {' | '.join(new)}")
    if gone:
        raise Mismatch(f"known_lies.py: no lie any more, take it off the list: {', '.join(gone)} ({told(seen)})")
    return told(seen) + (f"; known: {', '.join(expected)}" if expected else "")


def told(seen: Seen) -> str:
    return f"kept out: {', '.join(seen.out) or 'nobody'}{'' if seen.has_sudo else ', no sudo'}; {seen.after.said}"


def checked(state: State) -> Callable[[StatesEnvironment], str]:
    def check(env: StatesEnvironment) -> str:
        return run_state(state, env)

    return check


STATES = list(generate(survey()))
for one in STATES:
    case("P16", one.title, one.deep)(checked(one))
