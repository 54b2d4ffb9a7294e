// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import AzureMessages

struct OpenIDConfigurationTests {
    @Test("role service and cloud are read")
    func reading() throws {
        let text = """
            {"issuer":"https://login.microsoftonline.com/x/v2.0","rbac_url":"https://PAS.windows.net/",\
            "cloud_instance_name":"microsoftonline.com"}
            """
        let configuration = try OpenIDConfiguration(parsing: Array(text.utf8))
        #expect(configuration.roleService == "https://pas.windows.net")
        #expect(configuration.cloudInstance == "microsoftonline.com")
    }

    @Test(
        "an address that is not https and a host is not taken",
        arguments: [
            "http://pas.windows.net", "https://pas.windows.net/path", "https://user@pas.windows.net", "https://",
            "https://pas.windows.net:444", "https://pas..net", "https://pas.windows.net\\n", "file:///etc/passwd",
        ]
    )
    func addresses(address: String) throws {
        let text = "{\"issuer\":\"x\",\"rbac_url\":\"\(address)\"}"
        #expect(try OpenIDConfiguration(parsing: Array(text.utf8)).roleService == nil)
    }

    @Test("a document without an issuer is none")
    func issuer() {
        #expect(throws: MessageError.self) { try OpenIDConfiguration(parsing: Array("{}".utf8)) }
    }
}
