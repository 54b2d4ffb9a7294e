# SPDX-License-Identifier: Apache-2.0
from typing import Any
from urllib.parse import quote

from simulator import contoso

from .support import SimulatorTestCase

PROVIDER = f"{quote(contoso.MACHINE)}/providers/Microsoft.Authorization"


class CheckAccess(SimulatorTestCase):
    def test_roles_decide(self) -> None:
        self.control.post("groups", hints=["retrieve"])
        expected = {"alice": [True, True], "bob": [True, False], "carol": [False, False], "olga": [False, False],
                    "frank": [True, False], "svc": [True, False], "mi": [True, False], "ivan": [False, True],
                    "user2": [True, False]}
        for who, decision in expected.items():
            with self.subTest(who):
                self.assertEqual(self.allowed(who), decision)
                self.assertEqual(self.allowed(who, host="arm"), decision)

    def test_groups_count_only_by_a_hint_that_is_honoured_and_by_none_at_first(self) -> None:
        for honoured in ((), ("retrieve",), ("claims",), ("retrieve", "claims")):
            if honoured:
                self.control.post("groups", hints=honoured)
            for sent in ((), ("retrieve",), ("claims",), ("retrieve", "claims")):
                with self.subTest(honoured=honoured, sent=sent):
                    counts = bool(set(honoured) & set(sent))
                    self.assertEqual(self.allowed("alice", hints=sent), [counts, counts])
                    self.assertEqual(self.allowed("alice", host="arm", hints=sent), [counts, counts])
                    self.assertEqual(self.allowed("bob", hints=sent), [True, False])

    def test_pas_refuses_a_disabled_user_whose_assignment_remains(self) -> None:
        self.control.post("disable", who="bob")
        self.assertEqual(self.allowed("bob"), [False, False])
        self.assertEqual(self.allowed("bob", host="arm"), [True, False])
        self.control.post("enable", who="bob")
        self.assertEqual(self.allowed("bob"), [True, False])

    def test_the_smaller_role_reads_what_arm_asks_for(self) -> None:
        self.control.withdraw("machine")
        self.assertEqual(self.check("bob", host="arm")[0], 403)
        self.control.assign("machine", contoso.CHECK_ACCESS_READER)
        self.assertEqual(self.check("bob", host="arm")[0], 200)

    def test_a_scale_set_instance_inherits_from_its_resource_group(self) -> None:
        self.assertEqual(self.allowed("mi", resource=contoso.SCALE_SET_INSTANCE), [True, False])
        self.assertEqual(self.allowed("bob", resource=contoso.SCALE_SET_INSTANCE), [False, False])

    def test_assignments_change_while_it_runs(self) -> None:
        self.control.assign("carol", contoso.USER)
        self.assertEqual(self.allowed("carol"), [True, False])
        self.assertEqual(self.control.withdraw("carol"), 1)
        self.assertEqual(self.allowed("carol"), [False, False])

    def test_a_condition_makes_an_assignment_absent_and_a_denial_wins(self) -> None:
        self.control.assign("carol", contoso.USER, condition="@Resource[x] StringEquals 'y'")
        self.assertEqual(self.allowed("carol"), [False, False])
        self.control.assign("bob", contoso.USER, deny=True)
        self.assertEqual(self.allowed("bob"), [False, False])

    def test_an_unknown_resource_is_not_found(self) -> None:
        self.assertEqual(self.check("bob", resource=contoso.MACHINE + "x")[0], 404)

    def test_tokens_are_checked_for_audience_and_age(self) -> None:
        self.assertEqual(self.check("bob", token="nonsense")[0], 401)
        self.assertEqual(self.check("bob", token=self.arm_token())[0], 401)
        self.assertEqual(self.check("bob", host="arm", token=self.identity_token())[0], 401)
        old = self.identity_token()
        self.control.set_fault("clock-skew", value=90_000)
        self.assertEqual(self.check("bob", token=old)[0], 401)

    def test_arm_wants_reader_for_the_machine_identity(self) -> None:
        self.control.withdraw("machine", role="Reader")
        self.assertEqual(self.check("bob", host="arm")[0], 403)
        self.assertEqual(self.check("bob", host="pas")[0], 200)

    def test_arm_lists_assignments_denials_and_definitions(self) -> None:
        authorization: dict[str, Any] = {"Authorization": f"Bearer {self.arm_token()}"}
        oid = self.azure.directory.principals["alice"].object_id
        query = f"api-version=2022-04-01&$filter=assignedTo('{oid}')"
        _, found, _ = self.ask("arm", "GET", f"{PROVIDER}/roleAssignments?{query}", **authorization)
        self.assertEqual([a["properties"]["principalId"] for a in found["value"]], [contoso.PLATFORM.object_id])
        definition = found["value"][0]["properties"]["roleDefinitionId"]
        _, role, _ = self.ask("arm", "GET", f"{definition}?api-version=2022-04-01", **authorization)
        self.assertEqual(role["properties"]["roleName"], contoso.ADMINISTRATOR)
        self.control.assign("alice", contoso.ADMINISTRATOR, deny=True)
        _, denials, _ = self.ask("arm", "GET", f"{PROVIDER}/denyAssignments?{query}", **authorization)
        self.assertEqual(len(denials["value"]), 1)

    def test_the_log_counts_and_carries_the_correlation_id_but_no_token(self) -> None:
        self.check("bob")
        (entry,) = self.control.requests("pas")
        self.assertEqual((entry["status"], entry["method"], entry["correlation_id"]), (200, "POST", "c0"))
        self.assertNotIn("Bearer", str(self.control.requests()))
        self.control.forget_requests()
        self.assertEqual(self.control.count("pas"), 0)
