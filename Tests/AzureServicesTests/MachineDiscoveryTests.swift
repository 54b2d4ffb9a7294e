// SPDX-License-Identifier: Apache-2.0

import Authorization
import AzureServices
import HTTPTransport
import Identity
import Synchronization
import Testing

struct MachineDiscoveryTests {
    private final class Disk: Sendable {
        let content = Mutex<[UInt8]?>(nil)
        var store: MachineStore {
            MachineStore(
                load: { [self] in content.withLock { $0 } },
                save: { [self] bytes in content.withLock { $0 = bytes } }
            )
        }
    }

    private func discovery(_ fixture: Fixture, _ disk: Disk = Disk(), tenant: TenantID? = nil) -> MachineDiscovery {
        MachineDiscovery(
            fixture.environment,
            service: fixture.service,
            identity: fixture.identity,
            endpoints: fixture.endpoints,
            store: disk.store,
            tenant: tenant
        )
    }

    @Test("P1: the tenant that the administrator names counts, whatever IMDS and an earlier record say")
    func pinnedTenant() async throws {
        let named = try #require(TenantID("99999999-9999-4999-8999-999999999999"))
        let disk = Disk()
        let fixture = Fixture()
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(10))
        _ = try await discovery(fixture, disk).machine(by: deadline)
        let pinned = discovery(fixture, disk, tenant: named)
        #expect(pinned.current?.tenant == named)
        #expect(try await pinned.refresh(by: deadline).tenant == named)
        #expect(pinned.status.tenantRemark == "TenantID= names \(named), the metadata service \(Fixture.tenant)")
    }

    @Test("P16: a tenant that metadata confirm, or say nothing of, is nothing to remark")
    func confirmedTenant() async throws {
        let named = try #require(TenantID(Fixture.tenant))
        for isSilent in [false, true] {
            let fixture = Fixture()
            if isSilent { fixture.transport.script(Fixture.info, .error(.unreachable)) }
            let pinned = discovery(fixture, tenant: named)
            _ = try await pinned.refresh(by: fixture.clock.bootTime().advanced(by: .seconds(10)))
            #expect(pinned.status.tenantRemark == nil)
        }
    }

    @Test("P1: the machine is what IMDS says; what is kept for the next start is known, and confirmed before it counts")
    func discovered() async throws {
        let fixture = Fixture()
        let disk = Disk()
        let discovery = discovery(fixture, disk)
        #expect(discovery.current == nil)
        let machine = try await discovery.machine(by: fixture.clock.bootTime().advanced(by: .seconds(10)))
        #expect(machine == (try fixture.machine()))
        #expect(discovery.current == machine)
        let offline = Fixture()
        offline.transport.script(Fixture.compute, .error(.unreachable))
        let next = self.discovery(offline, disk)
        #expect(next.current == machine)
        #expect(next.status.isFromStore)
        // The disk may be a copy: a role is requested only after the service has said which machine this is.
        await #expect(throws: AccessCheckFault.self) { try await next.machine(by: offline.clock.bootTime()) }
        let copy = Fixture.resource.replacing("/vm1", with: "/vm2")
        offline.transport.script(Fixture.compute, .answer(200, Fixture.instance(copy)))
        let deadline = offline.clock.bootTime().advanced(by: .seconds(10))
        #expect(try await next.machine(by: deadline).resource.path == copy)
    }

    @Test("P13: a store that makes no sense is as good as none", arguments: ["", "{}", "[1]", "{\"version\":1}"])
    func brokenStore(text: String) {
        let disk = Disk()
        disk.content.withLock { $0 = Array(text.utf8) }
        #expect(discovery(Fixture(), disk).current == nil)
    }

    @Test("without an answer there is no machine, and the reason is known")
    func unreachable() async throws {
        let fixture = Fixture()
        fixture.transport.script(Fixture.info, .error(.timeout))
        let discovery = discovery(fixture)
        let deadline = fixture.clock.bootTime().advanced(by: .seconds(10))
        await #expect(throws: AccessCheckFault.self) { try await discovery.machine(by: deadline) }
        #expect(discovery.status.fault?.reason == .metadataClosed)
        #expect(discovery.current == nil)
    }

    @Test("once started, it asks until IMDS answers, and again later")
    func started() async throws {
        let fixture = Fixture()
        fixture.transport.script(
            Fixture.compute,
            .answer(400),
            .answer(400),
            .answer(200, Fixture.instance()),
            .answer(200, Fixture.instance(Fixture.resource + "moved"))
        )
        let discovery = discovery(fixture)
        discovery.start()
        for _ in 0..<1_000_000 where discovery.current?.resource.path != Fixture.resource + "moved" {
            await Task.yield()
        }
        discovery.stop()
        #expect(discovery.current?.resource.path == Fixture.resource + "moved")
        #expect(discovery.status.fault == nil)
    }
}
