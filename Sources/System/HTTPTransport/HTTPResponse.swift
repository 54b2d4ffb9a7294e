// SPDX-License-Identifier: Apache-2.0

/// The final answer to a request, whatever its status.
package struct HTTPResponse: Hashable, Sendable {
    package let status: Int
    /// In the order received.
    package let headers: [HTTPHeader]
    package let body: [UInt8]

    package init(status: Int, headers: [HTTPHeader] = [], body: [UInt8] = []) {
        self.status = status
        self.headers = headers
        self.body = body
    }

    /// The value of the only header of that name, in any letter case; nil if there is none or more than one.
    package func header(_ name: String) -> String? {
        let wanted = name.lowercased()
        let found = headers.filter { $0.name.lowercased() == wanted }
        return found.count == 1 ? found.first?.value : nil
    }
}
