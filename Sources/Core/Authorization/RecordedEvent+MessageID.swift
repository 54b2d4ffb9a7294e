// SPDX-License-Identifier: Apache-2.0

extension RecordedEvent {
    /// MESSAGE_ID in the journal (systemd.journal-fields(7)): 128 random bits for each event. They never change,
    /// because catalogs and filters rely on them. Documentation/records.md and the catalog list them.
    package var messageID: String {
        switch self {
        case .started: "6399c1b13f174f7f85df683ed7a3bcc9"
        case .stopping: "21331e9c6e5d4b3fadbde3ad4d249757"
        case .reloaded: "d780464d34524aaea2e9d64acf37c88a"
        case .settingsRejected: "31b99c47317141ee9da13f5232811f7d"
        case .settingsIgnored: "53fab48cf8914e849f02d438d72c9607"
        case .certificate: "2c6fd66a2bcf41bcb6ca2f50b6ce792f"
        case .account: "b56ef1cd6a4e48e299a57cc00ca3646b"
        case .deviceSignIn: "1bf42579bd86499480df304feba3f96e"
        case .sessionOpened: "2a155355174d485daed53b1ead08b202"
        case .sessionClosed: "78301fbecc6c46308a8cf0100210bb39"
        case .sessionsEnded: "08503c5c191e4327bd94864d2357c6e2"
        case .enrolled: "7122bf298f7b465f8d2020345887efd5"
        case .added: "32b11544ff0144ff9c76fbed2e983f16"
        case .granted: "fa663fcedbd84a758f090e00a2a30e52"
        case .raised: "b7ecde391e064ae59caa99bab9d55816"
        case .withdrawn: "fbd85e156fe74921a4619dd0da7ff9dc"
        case .retired: "6ec75037bf79438d91a8d7c3450184b5"
        case .locked: "5f0c1e8b27d94c55b3a7a2c4e09d6f31"
        case .unlocked: "c17b0e5a94ae4c8f8b1d63f27a5e0d42"
        case .rebound: "fb23253e6cf84d05a029ef97050887ff"
        case .renamed: "2c6fdeded8944a99975f02d0120a2a7c"
        case .changed: "424a0ec544cd4fbab714fcd745a81b0c"
        case .shadowed: "a5674df9a9184077ae724739873613fe"
        case .keysPublished: "8223b6bf113140aeb5948317dcecd40d"
        case .keysStale: "440e4a88d29347cb8ecf862e951d8a0f"
        case .accessCheck: "a33a8ffb49e3412a87c3db360c3984c3"
        case .machine: "dea051fba6974011aa51974721b0ba60"
        case .stack: "6287f1ec2cfd454bab51b88811ebd06d"
        case .recordsLost: "7d6c71a733cb4aac9919ae6e5d84ca3a"
        case .fault: "dd33989c1671481889d100555d167800"
        }
    }
}
