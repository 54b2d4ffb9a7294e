// SPDX-License-Identifier: Apache-2.0

/// Sends one request and waits for the whole answer. The port that services use and that tests replace.
package protocol HTTPTransport: Sendable {
    /// Any status is an answer. Cancelling the task ends the transfer at once.
    func send(_ request: HTTPRequest) async throws(HTTPError) -> HTTPResponse
}
