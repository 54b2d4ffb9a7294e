# SPDX-License-Identifier: Apache-2.0
import json
from typing import Any

from simulator import contoso

from .support import SimulatorTestCase

GRAPH = "https://graph.microsoft.com"


class Accounts(SimulatorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.control.post("graph", permissions=["User.Read.All"])

    def account(self, who: str, kind: str = "users", token: str | None = None) -> tuple[int, Any]:
        object_id = self.azure.directory.principals[who].object_id
        token = self.identity_token(GRAPH) if token is None else token
        status, answer, _ = self.ask("graph", "GET", f"/v1.0/{kind}/{object_id}?$select=id,accountEnabled",
                                     Authorization=f"Bearer {token}")
        return status, answer

    def test_an_account_is_enabled_until_it_is_not(self) -> None:
        status, answer = self.account("bob")
        self.assertEqual((status, answer["accountEnabled"], answer["id"]),
                         (200, True, self.azure.directory.principals["bob"].object_id))
        self.control.post("disable", who="bob")
        self.assertIs(self.account("bob")[1]["accountEnabled"], False)
        self.control.post("enable", who="bob")
        self.control.post("delete", who="bob")
        status, answer = self.account("bob")
        self.assertEqual((status, answer["error"]["code"]), (404, "Request_ResourceNotFound"))
        self.control.post("restore", who="bob")
        self.assertEqual(self.account("bob")[0], 200)

    def test_a_service_principal_is_no_user_and_needs_another_permission(self) -> None:
        self.assertEqual(self.account("svc")[0], 404)
        self.assertEqual(self.account("svc", "servicePrincipals")[0], 403)
        self.control.post("graph", permissions=["User.Read.All", "Application.Read.All"])
        self.assertIs(self.account("svc", "servicePrincipals")[1]["accountEnabled"], True)
        self.assertEqual(self.account("bob", "servicePrincipals")[0], 404)

    def test_the_permission_and_the_audience_are_checked(self) -> None:
        status, answer = self.account("bob", token=self.arm_token())
        self.assertEqual((status, answer["error"]["code"]), (401, "InvalidAuthenticationToken"))
        self.control.post("graph", permissions=[])
        status, answer = self.account("bob")
        self.assertEqual((status, answer["error"]["code"]), (403, "Authorization_RequestDenied"))

    def members(self, who: str, *groups: str) -> tuple[int, Any]:
        object_id = self.azure.directory.principals[who].object_id
        status, answer, _ = self.ask("graph", "POST", f"/v1.0/directoryObjects/{object_id}/checkMemberGroups",
                                     json.dumps({"groupIds": groups}), Authorization=f"Bearer {self.identity_token(GRAPH)}",
                                     Content_Type="application/json")
        return status, answer

    def test_membership_counts_groups_in_groups_and_names_listed_ones_only(self) -> None:
        operators, platform = contoso.OPERATORS.object_id, contoso.PLATFORM.object_id
        self.assertEqual(self.members("alice", platform)[0], 403)
        self.control.post("graph", permissions=["GroupMember.Read.All"])
        self.assertEqual(self.members("alice", platform)[0], 403)
        self.control.post("graph", permissions=["GroupMember.Read.All", "User.Read.All"])
        self.assertEqual(self.members("alice", platform)[1]["value"], [platform])
        self.assertEqual(self.members("alice", operators, platform)[1]["value"], [operators, platform])
        self.assertEqual(self.members("bob", operators, platform)[1]["value"], [])
        self.assertEqual(self.members("alice")[0], 400)
        self.assertEqual(self.members("alice", *[platform] * 21)[0], 400)
        self.control.post("delete", who="alice")
        self.assertEqual(self.members("alice", platform)[0], 404)

    def test_throttling_names_the_time(self) -> None:
        with self.control.fault("throttle", "graph", 7):
            status, _, headers = self.ask("graph", "GET", "/v1.0/users/x")
        self.assertEqual((status, headers["Retry-After"]), (429, "7"))

    def test_pas_need_not_look_at_a_disabled_account(self) -> None:
        self.control.post("disable", who="bob", seen_by_pas=False)
        self.assertEqual(self.allowed("bob"), [True, False])
        self.assertIs(self.account("bob")[1]["accountEnabled"], False)
        self.control.post("enable", who="bob")
        self.control.post("disable", who="bob")
        self.assertEqual(self.allowed("bob"), [False, False])
