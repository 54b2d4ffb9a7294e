// SPDX-License-Identifier: Apache-2.0

extension Denial {
    /// A job that waited in vain for Azure's first answer about its user. The detail names what never runs again by
    /// itself, because nothing else reports that.
    package init(notStarted service: String) {
        let detail =
            switch service {
            case "cron", "crond": "the job was not run; cron does not run an @reboot job again before the next boot"
            case "atd": "the job was not run, and atd does not run it again"
            default: "the user manager was not started; where it lingers, it is when Azure says yes"
            }
        self.init(.noRecentDecision, text: "Azure has not answered yet about this account", detail: detail)
    }
}
