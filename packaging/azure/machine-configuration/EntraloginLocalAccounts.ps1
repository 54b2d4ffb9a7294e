# SPDX-License-Identifier: Apache-2.0
#
# The machine configuration that runs `entraloginctl audit accounts` and reports what it finds; it changes nothing.
# UNTRIED: nobody has compiled it or run it in Azure yet. In PowerShell 7 with the modules PSDesiredStateConfiguration 3,
# nxtools and GuestConfiguration:
#
#   ./EntraloginLocalAccounts.ps1
#   New-GuestConfigurationPackage -Name EntraloginLocalAccounts -Type Audit `
#       -Configuration ./EntraloginLocalAccounts/localhost.mof

Configuration EntraloginLocalAccounts {
    Import-DscResource -ModuleName nxtools

    Node localhost {
        nxScript LocalAccounts {
            # A machine without the tool, and an audit that could not look at everything, do not comply either.
            TestScript = {
                if (-not (Test-Path -Path /usr/bin/entraloginctl)) { return $false }
                & /usr/bin/entraloginctl --json audit accounts | Out-Null
                return $LASTEXITCODE -eq 0
            }
            GetScript  = {
                $reason = [Reason]::new()
                $reason.Code = 'nxScript:nxScript:LocalAccounts'
                if (-not (Test-Path -Path /usr/bin/entraloginctl)) {
                    $reason.Phrase = 'entralogin is not installed.'
                } else {
                    $reason.Phrase = (& /usr/bin/entraloginctl audit accounts 2>&1) -join "`n"
                }
                return @{ Reasons = @($reason) }
            }
            SetScript  = { }
        }
    }
}

EntraloginLocalAccounts
