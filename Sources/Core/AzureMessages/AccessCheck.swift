// SPDX-License-Identifier: Apache-2.0

internal import ByteCoding
package import Identity

/// The two data actions of a login (azure.md, "The role check").
package struct LoginActions: Hashable, Sendable {
    package let user: String
    package let administrator: String

    package init(for kind: MachineKind) {
        let resource =
            switch kind {
            case .virtualMachine, .scaleSetInstance: "Microsoft.Compute/virtualMachines"
            case .arcServer: "Microsoft.HybridCompute/machines"
            }
        user = "\(resource)/login/action"
        administrator = "\(resource)/loginAsAdmin/action"
    }
}

/// The question of *checkAccess*: both actions at once (azure.md, "The role check").
package struct AccessCheckQuestion: Hashable, Sendable {
    /// Two hints that ask the service to expand the subject's groups. Whether it honours either today is open
    /// (azure.md, "The role check"): so a "no" is confirmed by role assignments.
    private static let groupHints: [String: JSON] = [
        "xms-pasrp-retrievegroupmemberships": .boolean(true), "_claim_names": .string("{\"groups\":\"src1\"}"),
    ]

    package let objectID: ObjectID
    package let machine: Machine

    package init(objectID: ObjectID, machine: Machine) {
        self.objectID = objectID
        self.machine = machine
    }

    /// What follows the service's host: the path and the version of the contract.
    package var path: String {
        "\(machine.resource.path)/providers/Microsoft.Authorization/checkaccess?api-version=2018-09-01-preview"
    }

    package var body: [UInt8] {
        let actions = LoginActions(for: machine.kind)
        let attributes = AccessCheckQuestion.groupHints.merging(["ObjectId": .string(objectID.description)]) { $1 }
        return JSON.object([
            "Subject": .object(["Attributes": .object(attributes)]),
            "Actions": .array(
                [actions.user, actions.administrator].map { action in
                    .object(["Id": .string(action), "IsDataAction": .boolean(true)])
                }
            ),
            "Resource": .object(["Id": .string(machine.resource.path)]),
        ]).bytes
    }
}

/// The answer of *checkAccess* (azure.md, "The role check").
package struct AccessCheckAnswer: Hashable, Sendable {
    package let mayLogin: Bool
    package let mayLoginAsAdministrator: Bool
    /// True where the action is denied for a reason that role assignments cannot change: a deny assignment, or a word
    /// other than `NotAllowed`.
    package let isLoginRefused: Bool
    package let isAdministratorRefused: Bool
    /// The least `timeToLiveInMs` of the two; nil where neither has one.
    package let lifetimeInMilliseconds: Int64?

    /// The most elements that are read.
    private static let maximumElements = 64

    /// `Allowed`, in any letter case, is yes; any other word, or one missing action, is no. A body that does not answer
    /// the question (another form, an action twice, neither action) throws: it lets nobody in, but does not say that a
    /// role is missing.
    package init(parsing bytes: [UInt8], actions: LoginActions) throws(MessageError) {
        let document = try JSON(message: bytes)
        guard let elements = document.elements ?? document["value"]?.elements else {
            throw MessageError("the answer is neither an array nor an object with \"value\"")
        }
        guard elements.count <= AccessCheckAnswer.maximumElements else { throw MessageError("too many decisions") }
        let user = try AccessCheckAnswer.decision(on: actions.user, in: elements)
        let administrator = try AccessCheckAnswer.decision(on: actions.administrator, in: elements)
        guard user != nil || administrator != nil else {
            throw MessageError("the answer decides neither of the two login actions")
        }
        mayLogin = user?.isAllowed ?? false
        mayLoginAsAdministrator = administrator?.isAllowed ?? false
        isLoginRefused = user?.isRefused ?? false
        isAdministratorRefused = administrator?.isRefused ?? false
        lifetimeInMilliseconds = [user, administrator].compactMap { $0?.lifetime }.min()
    }

    private struct Decision {
        let isAllowed: Bool
        let isRefused: Bool
        let lifetime: Int64?
    }

    private static func decision(on action: String, in elements: [JSON]) throws(MessageError) -> Decision? {
        let wanted = action.lowercased()
        // An element without `isDataAction` is about the control plane, where Owner is allowed everything.
        let found = elements.filter {
            $0["actionId"]?.text?.lowercased() == wanted && $0["isDataAction"]?.truth == true
        }
        guard found.count <= 1 else { throw MessageError("an action stands twice in the answer") }
        guard let element = found.first else { return nil }
        guard let word = element["accessDecision"]?.text else { throw .missing("accessDecision") }
        if let lifetime = element["timeToLiveInMs"], (lifetime.integer ?? -1) < 0 {
            throw MessageError("\"timeToLiveInMs\" is no whole number")
        }
        let isAllowed = word.lowercased() == "allowed"
        return Decision(
            isAllowed: isAllowed,
            isRefused: !isAllowed && (element["denyAssignment"] != nil || word.lowercased() != "notallowed"),
            lifetime: element["timeToLiveInMs"]?.integer
        )
    }
}

/// A refusal: Resource Manager's `{"error":{"code","message"}}`, `{"statusCode","message"}` as the policy decision
/// point has it (azure.md, "The role check"), or any text.
package struct ServiceRefusal: Hashable, Sendable {
    /// Bytes read of a body that is not JSON.
    private static let maximumText = 512

    /// Empty where the body has another form.
    package let code: String
    /// Code and message, or the body's own beginning; quoted and bounded.
    package let text: String

    package init(parsing bytes: [UInt8]) {
        guard let document = try? JSON(parsing: bytes) else {
            code = ""
            let body = String(decoding: bytes.prefix(ServiceRefusal.maximumText), as: UTF8.self)
            let line = body.split(whereSeparator: \.isWhitespace).joined(separator: " ")
            text = line.isEmpty ? "" : quoted(line)
            return
        }
        let error = document["error"] ?? document
        code = error["code"]?.text ?? ""
        let message = error["message"]?.text ?? document["error"]?.text ?? document.text ?? ""
        text = [code, message].filter { !$0.isEmpty }.map { quoted($0) }.joined(separator: " ")
    }

    /// The path is served, and the resource in it does not exist.
    package var saysResourceIsMissing: Bool {
        ["resourcenotfound", "resourcegroupnotfound", "subscriptionnotfound"].contains(code.lowercased())
    }
}
