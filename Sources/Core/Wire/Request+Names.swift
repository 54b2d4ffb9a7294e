// SPDX-License-Identifier: Apache-2.0

internal import Authorization

extension Request {
    /// The same question where each name of an account that it concerns is what `whole` makes of it: a short name
    /// becomes the whole one, by which the daemon knows everybody. What is looked up for the name service stays, and so
    /// does a new name.
    package func naming(_ whole: (String) -> String) -> Request {
        switch self {
        case .checkCertificate(var request):
            request.user = whole(request.user)
            return .checkCertificate(request)
        case .authorize(var request):
            request.user = whole(request.user)
            request.invokingUser = whole(request.invokingUser)
            return .authorize(request)
        case .openSession(var request):
            request.user = whole(request.user)
            return .openSession(request)
        case .closeSession(let user, let uid): return .closeSession(user: whole(user), uid: uid)
        case .beginDevice(var request):
            request.user = whole(request.user)
            return .beginDevice(request)
        case .explain(let name): return .explain(whole(name))
        case .testCertificate(let user, let certificate):
            return .testCertificate(user: whole(user), certificate: certificate)
        case .retire(let name): return .retire(whole(name))
        case .showUser(let name): return .showUser(whole(name))
        case .rebind(let name, let objectID): return .rebind(whole(name), objectID: objectID)
        case .rename(let name, let new): return .rename(whole(name), to: new)
        case .check(let name, let objectID): return .check(whole(name), objectID: objectID)
        case .setShell(let name, let shell): return .setShell(whole(name), shell: shell)
        case .setHome(let name, let home): return .setHome(whole(name), home: home)
        case .endSessions(let name): return .endSessions(whole(name))
        case .lock(let name): return .lock(whole(name))
        case .unlock(let name): return .unlock(whole(name))
        case .lookUpName, .awaitDevice, .statusReport, .users, .flush, .sessions, .keys, .refreshKeys, .access,
            .settings, .add:
            return self
        }
    }
}
