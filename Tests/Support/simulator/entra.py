# SPDX-License-Identifier: Apache-2.0
"""Entra: OpenID configuration, published keys, and the token endpoint, which issues ssh-cert tokens, bearer tokens for
Resource Manager, and ID tokens for codes that the user types on another device."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass

from . import contoso
from .azure import SimulatedAzure
from .certificates import Template, sign
from .clouds import CLOUDS, PUBLIC, Cloud
from .directory import Kind, Principal
from .identitytokens import identity_token
from .server import Reply, Request
from .sshkeys import line_from_jwk

_DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Device:
    """One code. `key` names the person who signed in with it; empty: the code is spent."""

    user_code: str
    client_id: str
    scope: str
    ends_at: float
    key: str | None = None
    declined: bool = False


class GrantRefused(Exception):
    def __init__(self, code: str, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.reply = Reply.json({"error": code, "error_description": text}, status)


class Entra:
    def __init__(self, azure: SimulatedAzure) -> None:
        self._azure = azure
        self._devices: dict[str, Device] = {}  # by device code

    def endpoint(self, request: Request) -> str:
        return "signin" if request.path.startswith(f"/{self._tenant}/oauth2/") else "keys"

    def answer(self, request: Request) -> Reply:
        tenant, _, rest = request.path.lstrip("/").partition("/")
        if tenant not in (self._tenant, "common", "organizations"):
            return _failure("invalid_tenant", f"AADSTS90002: Tenant '{tenant}' not found.")
        match request.method, rest:
            case "GET", "v2.0/.well-known/openid-configuration":
                return Reply.json(self._configuration(request, tenant))
            case "GET", "discovery/keys" | "discovery/v2.0/keys":
                return Reply.json({"keys": self._keys(self._azure.asked_cloud(request), self._is_thin(tenant))},
                                  Cache_Control="max-age=86400, private")
            case "GET", "discovery/instance":
                login = self._azure.asked_cloud(request).login
                return Reply.json({
                    "tenant_discovery_endpoint": f"https://{login}/{tenant}/v2.0/.well-known/openid-configuration",
                    "metadata": [{"preferred_network": login, "preferred_cache": login, "aliases": [login]}],
                })
            case "POST", "oauth2/v2.0/devicecode":
                return self._device_code(request.form(), self._azure.asked_cloud(request).login)
            case "POST", "oauth2/v2.0/token":
                try:
                    return self._token(request.form(), self._azure.asked_cloud(request))
                except GrantRefused as refused:
                    return refused.reply
        return Reply(404)

    def approve(self, user_code: str, key: str) -> None:
        """The person types the code on the web page and signs in."""
        self._typed(user_code).key = key

    def decline(self, user_code: str) -> None:
        """The person types the code and says that they did not request it."""
        self._typed(user_code).declined = True

    def _typed(self, user_code: str) -> Device:
        for device in self._devices.values():
            if device.user_code == user_code:
                return device
        raise KeyError(user_code)

    @property
    def _tenant(self) -> str:
        return self._azure.directory.tenant_id

    def _is_thin(self, tenant: str) -> bool:
        """Whether this answer comes from a replica that does not have the newest key."""
        document = "tenant" if tenant == self._tenant else "common"
        faults = self._azure.faults
        if faults.named("thin-keys", "keys") not in (None, document):
            return False
        return faults.take("thin-keys", "keys") is not None

    def _keys(self, cloud: Cloud, is_thin: bool) -> list[dict[str, object]]:
        """The cloud's keys; in the public cloud also the Government cloud's keys and one tenant's own, as in a recorded set."""
        issuer = f"https://{cloud.login}/{{tenantid}}/v2.0"
        keys = self._azure.keys_of(cloud).published(issuer, cloud.instance, is_thin)
        if cloud is PUBLIC:
            government = CLOUDS["azureusgovernmentcloud"]
            keys += self._azure.keys_of(government).published(issuer, government.instance)
            keys.append(self._azure.keys_of(cloud).published_stranger(
                f"https://{cloud.login}/{contoso.OTHER_TENANT}/v2.0", cloud.instance))
        return keys

    def _configuration(self, request: Request, tenant: str) -> dict[str, object]:
        """The configuration of the tenant's own cloud, from the login host of any cloud."""
        cloud = self._azure.tenants_cloud or self._azure.cloud
        base = f"https://{cloud.login}/{tenant}"
        named = self._azure.faults.take("other-role-host", "keys")
        return {
            "issuer": f"https://{cloud.login}/{self._tenant}/v2.0", "token_endpoint": f"{base}/oauth2/v2.0/token",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize", "jwks_uri": f"{base}/discovery/v2.0/keys",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode", "tenant_region_scope": "EU",
            "cloud_instance_name": cloud.instance,
            "rbac_url": f"https://{cloud.pas}" if named is None else str(named.value or "https://pas.other.example"),
        }

    def _device_code(self, form: dict[str, str], host: str) -> Reply:
        code, user = secrets.token_urlsafe(24), secrets.token_hex(4).upper()
        lifetime = int(self._azure.faults.value("code-lifetime", 900, "signin") or 900)
        self._devices[code] = Device(user, form.get("client_id", ""), form.get("scope", ""),
                                     self._azure.now() + lifetime)
        return Reply.json({
            "device_code": code, "user_code": user, "verification_uri": f"https://{host}/device",
            "expires_in": lifetime, "interval": 1, "message": f"Enter the code {user} at https://{host}/device.",
        })

    def _token(self, form: dict[str, str], cloud: Cloud) -> Reply:
        person = self._grantee(form)
        wanted = set(form.get("scope", "").split())
        if audience := next((a for a in cloud.arm_audiences if f"{a}/.default" in wanted), None):
            return self._bearer(person, audience, cloud)
        if not wanted and "openid" in (device := self._devices[form["device_code"]]).scope.split():
            return self._identity(person, device, form.get("client_id", ""), cloud)
        if not cloud.certificate_scopes & wanted:
            raise GrantRefused("invalid_scope", "AADSTS70011: The provided value for the input 'scope' is not valid.")
        if form.get("token_type") != "ssh-cert":
            raise GrantRefused("invalid_request", "AADSTS900144: this simulator issues tokens of type ssh-cert only.")
        if not form.get("key_id"):
            raise GrantRefused("invalid_request", "AADSTS900144: The request body must contain: 'key_id'.")
        try:
            public_key = line_from_jwk(json.loads(form["req_cnf"]))
        except (KeyError, ValueError) as error:
            raise GrantRefused("invalid_request", f"AADSTS900144: req_cnf is not usable: {error}") from error
        certificate = sign(self._azure.keys_of(cloud).current, public_key,
                           Template.entra(person, self._tenant, self._azure.now()))
        answer = {"token_type": "ssh-cert", "scope": form["scope"], "expires_in": 3599, "ext_expires_in": 3599,
                  "access_token": certificate.split()[1]}
        if form["grant_type"] != "client_credentials":
            answer["refresh_token"] = f"refresh.{person.key}"
        return Reply.json(answer, Cache_Control="no-store, no-cache")

    def _identity(self, person: Principal, device: Device, client_id: str, cloud: Cloud) -> Reply:
        """The answer to a client that asks only who the user is. The code cannot be used again."""
        if client_id != device.client_id:
            raise GrantRefused("invalid_grant", "AADSTS70002: The code was given to another application.")
        device.key = ""
        changes = self._azure.faults.take("id-token", "signin")
        token = identity_token(self._azure.keys_of(cloud), person, device.client_id, self._tenant,
                               f"https://{cloud.login}/{self._tenant}/v2.0", int(self._azure.now()),
                               changes.value if changes else {})
        self._azure.tokens.note(token)
        return Reply.json({"token_type": "Bearer", "scope": "openid profile", "expires_in": 3599, "id_token": token,
                           "access_token": "unused"}, Cache_Control="no-store, no-cache")

    def _bearer(self, person: Principal, audience: str, cloud: Cloud) -> Reply:
        issuer = f"https://sts.windows.net/{self._tenant}/"
        token = self._azure.tokens.issue(audience, person.object_id, self._tenant, issuer, int(self._azure.now()), 3599,
                                         cloud.name)
        return Reply.json({"token_type": "Bearer", "expires_in": 3599, "ext_expires_in": 3599, "access_token": token},
                          Cache_Control="no-store, no-cache")

    def _grantee(self, form: dict[str, str]) -> Principal:
        people = self._azure.directory.principals
        match form.get("grant_type"):
            case "client_credentials":
                for p in people.values():
                    if p.client_id and p.client_id == form.get("client_id"):
                        if p.client_secret == form.get("client_secret"):
                            return p
                        raise GrantRefused("invalid_client", "AADSTS7000215: Invalid client secret provided.", 401)
                raise GrantRefused("unauthorized_client", "AADSTS700016: Application not found in the directory.")
            case "refresh_token":
                person = people.get(form.get("refresh_token", "").removeprefix("refresh."))
                if person is None or person.kind not in (Kind.USER, Kind.GUEST):
                    raise GrantRefused("invalid_grant", "AADSTS9002313: The refresh token is malformed or invalid.")
                return person
            case grant if grant == _DEVICE_CODE:
                return people[self._signed_in(form.get("device_code", ""))]
        raise GrantRefused("unsupported_grant_type", "AADSTS70003: The app requested an unsupported grant type.")

    def _signed_in(self, device_code: str) -> str:
        """The key of the person who typed that code."""
        device = self._devices.get(device_code)
        if device is None or device.key == "":
            raise GrantRefused("invalid_grant", "AADSTS70018: Invalid or unknown device code.")
        if self._azure.faults.take("slow-down", "signin") is not None:
            raise GrantRefused("slow_down", "AADSTS70016: The client polls too often.")
        if device.declined:
            raise GrantRefused("authorization_declined", "AADSTS70017: The user declined.")
        if self._azure.now() >= device.ends_at:
            raise GrantRefused("expired_token", "AADSTS70020: The code has expired.")
        if device.key is None:
            raise GrantRefused("authorization_pending", "AADSTS70016: The user has not signed in yet.")
        return device.key


def _failure(code: str, text: str) -> Reply:
    return Reply.json({"error": code, "error_description": text}, 400)
