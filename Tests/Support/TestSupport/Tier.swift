// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How much of an exhaustive test runs. In the deep tier (`.ci/test --only deep_unit`, which sets ENTRALOGIN_DEEP) a
/// test tries its change at every position; otherwise at a sample of the positions, the same in every run.
package enum Tier {
    package static let isDeep = getenv("ENTRALOGIN_DEEP") != nil

    /// All in the deep tier; otherwise every `step`th and the last. An odd step reaches every remainder modulo eight.
    package static func sample<Places: Collection>(_ places: Places, step: Int) -> [Places.Element] {
        guard !isDeep else { return Array(places) }
        return places.enumerated().filter { $0.offset % step == 0 || $0.offset == places.count - 1 }.map(\.element)
    }

    /// `deep` in the deep tier, otherwise `usual`, which is less.
    package static func count(_ usual: Int, deep: Int) -> Int { isDeep ? deep : usual }
}
