// SPDX-License-Identifier: Apache-2.0

package import Authorization
package import Identity
package import OpenSSHCertificates
package import Settings

/// Which metadata service this machine has.
package enum MetadataChoice: Sendable {
    /// A virtual machine; with the client id of a user-assigned identity where the administrator names one.
    case instance(clientID: GUID?)
    /// An Arc server; with the uids that may own its key files, root and `himds`, and what finds the owners of
    /// listeners.
    case hybrid(keyOwners: Set<UInt32>, listeners: HybridMetadataClient.Listeners)
}

/// All parts that ask Azure.
package struct AzureConnection: Sendable {
    package let metadata: any MetadataService
    package let identity: ManagedIdentity
    package let clouds: CloudDirectory
    package let machines: MachineDiscovery
    package let checker: OrderedAccessChecker
    /// Nil where Graph is not asked about accounts.
    package let directory: GraphDirectory?
    /// The same for memberships. Its faults are recorded separately, since they keep no user out.
    package let memberships: GraphDirectory?
    private let environment: AzureEnvironment
    private let assignments: RoleAssignmentAccessChecker

    /// Asks nothing yet; `machines.start()` begins. `order` names each checker once. `tenant` is `TenantID=`,
    /// `confirmsRefusals` is `ConfirmRefusals=`, `checksAccounts` is `CheckAccountEnabled=`, `mapsGroups` is true where
    /// `[Groups]` has lines. `isKnownUser`: see `GraphDirectory`.
    package init(
        _ environment: AzureEnvironment,
        endpoints: AzureEndpoints,
        metadata choice: MetadataChoice,
        order: [AccessCheckerName],
        confirmsRefusals: Bool = true,
        checksAccounts: Bool = false,
        mapsGroups: Bool = false,
        isKnownUser: @escaping @Sendable (ObjectID) -> Bool = { _ in false },
        store: MachineStore,
        tenant: TenantID? = nil
    ) {
        let metadata: any MetadataService =
            switch choice {
            case .instance(let clientID):
                InstanceMetadataClient(environment, endpoints: endpoints, clientID: clientID)
            case .hybrid(let owners, let listeners):
                HybridMetadataClient(environment, endpoints: endpoints, keyOwners: owners, listeners: listeners)
            }
        let identity = ManagedIdentity(environment, service: metadata)
        let clouds = CloudDirectory(environment, endpoints: endpoints)
        let assignments = RoleAssignmentAccessChecker(environment, identity: identity, clouds: clouds)
        let checkers = order.map { name -> any EndpointChecker in
            switch name {
            case .pas: PASAccessChecker(environment, identity: identity, clouds: clouds, endpoints: endpoints)
            case .arm: ARMAccessChecker(environment, identity: identity, clouds: clouds)
            case .armRoleAssignments: assignments
            }
        }
        self.environment = environment
        func graph() -> GraphDirectory {
            GraphDirectory(environment, identity: identity, clouds: clouds, isKnownUser: isKnownUser)
        }
        directory = checksAccounts ? graph() : nil
        memberships = mapsGroups ? graph() : nil
        self.assignments = assignments
        self.metadata = metadata
        self.identity = identity
        self.clouds = clouds
        machines = MachineDiscovery(
            environment,
            service: metadata,
            identity: identity,
            endpoints: endpoints,
            store: store,
            tenant: tenant
        )
        checker = OrderedAccessChecker(
            checkers,
            confirmedBy: confirmsRefusals ? assignments : nil,
            environment: environment
        )
    }

    /// The sources of CA keys for one word of `Sources=`. The administrator's file is `FileKeySource`.
    package func keySources(_ name: KeySourceName) -> [any AuthorityKeySource] {
        switch name {
        case .jwks:
            SigningKeySource.Document.allCases.map {
                SigningKeySource($0, environment, machines: machines, clouds: clouds)
            }
        case .imds: [MetadataKeySource(service: metadata)]
        case .file: []
        }
    }

    /// Asks Entra for codes, as the application `clientID`.
    package func deviceAuthority(
        clientID: GUID,
        clockSkew: Duration,
        signatures: any SignatureVerifier
    ) -> any DeviceAuthority {
        DeviceFlow(
            environment,
            machines: machines,
            clouds: clouds,
            clientID: clientID,
            clockSkew: clockSkew,
            signatures: signatures
        )
    }

    /// The holders of a login role on the machine, according to role assignments.
    package func holders(
        of machine: Machine,
        correlation: CorrelationID,
        deadline: BootTime
    ) async throws(AccessCheckFault) -> RoleHolders {
        do throws(EndpointFault) {
            return try await assignments.holders(of: machine, correlation: correlation, deadline: deadline)
        } catch { throw error.fault }
    }

    /// Reads only memory.
    package var status: AzureStatus {
        AzureStatus(
            machine: machines.status,
            tokens: identity.status,
            checkers: checker.status,
            remark: clouds.remark,
            clockAheadSeconds: environment.clock.aheadSeconds,
            confirmations: checker.confirmationStatus,
            directory: directory?.status,
            memberships: memberships?.status
        )
    }
}
