// SPDX-License-Identifier: Apache-2.0

import Glibc

/// How much of an exhaustive test is run. The deep tier (`.ci/test --only deep_unit`, which sets ENTRALOGIN_DEEP) tries
/// a change in every place; otherwise it is tried in a sample of the places, the same in every run.
package enum Tier {
    package static let isDeep = getenv("ENTRALOGIN_DEEP") != nil

    /// All in the deep tier; otherwise each `step`th and the last. A prime number meets every remainder of eight.
    package static func sample<Places: Collection>(_ places: Places, step: Int) -> [Places.Element] {
        guard !isDeep else { return Array(places) }
        return places.enumerated().filter { $0.offset % step == 0 || $0.offset == places.count - 1 }.map(\.element)
    }

    /// As many in the deep tier, or fewer otherwise.
    package static func count(_ usual: Int, deep: Int) -> Int { isDeep ? deep : usual }
}
