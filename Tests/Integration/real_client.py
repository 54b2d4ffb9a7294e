# SPDX-License-Identifier: Apache-2.0
"""P2 and P4 with a real client: azure-cli signs in and gets a certificate by its own token code; stock ssh uses it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from azure_cli import AzureCLI, asked
from case import case
from environment import Environment
from simulator import contoso
from simulator.clouds import CLOUDS, PUBLIC, Cloud
from testbed.checks import admitted, equal, refused, require

LOGIN, ARM = "login.microsoftonline.com", "management.azure.com"
CONFIGURATION = f"GET {LOGIN}/{contoso.TENANT}/v2.0/.well-known/openid-configuration 200"
TOKEN = f"POST {LOGIN}/{contoso.TENANT}/oauth2/v2.0/token"
SUBSCRIPTIONS = f"GET {ARM}/subscriptions 200"


def newly_installed(env: Environment, name: str, cloud: Cloud = PUBLIC) -> AzureCLI:
    folder = env.testbed.scratch / f"azure-cli-{name}"
    folder.mkdir()
    return AzureCLI(env, folder, cloud)


@case("P4", "az login, a certificate by azure-cli's own token code, and stock ssh: in, and nobody else was asked")
def signs_in(env: Environment) -> str:
    cli, svc = newly_installed(env, "svc"), env.person("svc")
    env.azure.forget_requests()
    outcome = cli.login("svc")
    require(outcome.ok and contoso.SUBSCRIPTION_ID in outcome.out, f"az login: {outcome.text}")
    equal(asked(env.azure.requests()), [CONFIGURATION, f"{TOKEN} 200", SUBSCRIPTIONS], "what az login asked")
    env.azure.forget_requests()
    person = cli.signing_in(svc)
    equal(asked(env.azure.requests()), [f"{TOKEN} 200"], "what the certificate cost")
    again = cli.signing_in(svc)
    equal(len(asked(env.azure.requests())), 1, "requests for two certificates of one key")
    assert again.certificate is not None
    shown = subprocess.run(["ssh-keygen", "-L", "-f", str(again.certificate)], capture_output=True, text=True,
                           check=True).stdout
    require(f'Key ID: "{person.login}@{contoso.TENANT}"' in shown, f"the certificate: {shown}")
    mark = env.vm.journal.mark()
    admitted(env.vm.ssh(person, "id -un"), f"{person.login}\n")
    env.vm.journal.wait(mark, event="account", user=person.login, decision="allow")
    version = cli.az("version", "--query", '"azure-cli"', "-o", "tsv").out.strip()
    return f"azure-cli {version}, as {person.login}"


NAMED = {"AzureUSGovernment": "azureusgovernmentcloud", "AzureChinaCloud": "azurechinacloud"}  # azure-cli's name: IMDS's name


@case("P4", "the Government's cloud and 21Vianet's: az cloud set, az login, and a certificate that works there alone")
def other_clouds(env: Environment) -> str:
    for name, spelled in NAMED.items():
        cli = newly_installed(env, spelled, CLOUDS[spelled])
        with env.azure.machine(cloud=spelled), env.fresh(spelled) as host:
            require(cli.az("cloud", "set", "--name", name).ok, f"az cloud set --name {name}")
            env.azure.forget_requests()
            outcome = cli.login("svc")
            require(outcome.ok, f"az login in {name}: {outcome.text}")
            person = cli.signing_in(env.person("svc"))
            hosts = {line.split()[1].partition("/")[0] for line in asked(env.azure.requests())}
            equal(hosts, {cli.cloud.login, cli.cloud.arm}, f"hosts asked in {name}")
            admitted(host.ssh(person, "id -un"), f"{person.login}\n")
        refused(env.vm.ssh(person, "id"))
    return ", ".join(NAMED)


@contextmanager
def roles_restored(env: Environment, key: str) -> Iterator[None]:
    """At its end, replaces the principal's roles by one User role at the machine, as in the fixture."""
    try:
        yield
    finally:
        env.azure.withdraw(key)
        env.azure.assign(key, contoso.USER)
        env.vm.flush()


@case("P2", "azure-cli's certificate is a name and no permission: the role decides, with the same certificate")
def role_decides(env: Environment) -> str:
    cli = newly_installed(env, "role")
    require(cli.login("svc").ok, "az login")
    person = cli.signing_in(env.person("svc"))
    with roles_restored(env, "svc"):
        admitted(env.vm.ssh(person, "id -un"), f"{person.login}\n")
        require(not env.vm.ssh(person, "sudo -n true").ok, "sudo with the User role")
        env.make_administrator(person)
        env.vm.flush()
        admitted(env.vm.ssh(person, "sudo -n id -un"), "root\n")
        env.withdraw(person)
        env.vm.flush()
        return refused(env.vm.ssh(person, "id"), "role not assigned")


@case("P2", "who holds no role anywhere gets a certificate from azure-cli all the same, and is refused")
def without_a_role(env: Environment) -> str:
    cli, svc = newly_installed(env, "none"), env.person("svc")
    with roles_restored(env, "svc"):
        env.withdraw(svc)
        env.vm.flush()
        bare = cli.login("svc")
        require(not bare.ok and "No subscriptions found" in bare.err, f"az login: {bare.text}")
        require(cli.login("svc", "--allow-no-subscriptions").ok, "az login --allow-no-subscriptions")
        return refused(env.vm.ssh(cli.signing_in(svc), "id"), "role not assigned")


@case("P4", "a wrong secret: azure-cli says what Entra says, and has no certificate to give")
def wrong_secret(env: Environment) -> str:
    cli = newly_installed(env, "wrong")
    env.azure.forget_requests()
    outcome = cli.login("svc", secret="not-the-secret")
    require(not outcome.ok and "AADSTS7000215" in outcome.err, f"az login: {outcome.text}")
    discovery = f"GET {LOGIN}/common/discovery/instance 200"
    equal(asked(env.azure.requests()), [CONFIGURATION, f"{TOKEN} 401", discovery], "what az login asked")
    require(not cli.az("account", "show").ok, "an account after a refused login")
    return outcome.err
