// SPDX-License-Identifier: Apache-2.0

/// Made with
/// `openssl req -x509 -newkey rsa:2048 -nodes -keyout key.pem -subj /CN=test -days 3650 -outform DER -out cert.der`
/// (the last one with `-newkey ec -pkeyopt ec_paramgen_curve:P-256`); the modulus with `openssl rsa -noout -modulus`.
/// The private keys were deleted.
enum KeyFixtures {
    /// Modulus, base64url.
    static let modulus =
        "wt_VJfOPPi25ZSV-UhQoZMJnwSfSUmlHLoTf2dKBa_IIOubMwS187_Gc1_SvL0ySP2EvfaIDs_dTmw-K0vxm9BOJvBFYnB-bjW7-"
        + "1KqC4mysddsOaLle2JK9bwLNxGwZvMUMWKmlf6qBGUID6weeOydNSQSJN1qvlPdbfKbiUTVHsan2uKjEmJMGguN6FwjJ9SQIG_1j"
        + "PwsxiAIs_FakjsTszhEwu94OxP2IzbidUTT9UagEpSgiby_F_HCIkUNhwFRWvidnVPrX9WuQYVuoBWUkoAy01Bi7hPCzolBG5961"
        + "uqZTz_FLrp2TG7zNvnzOdPGWUEOkJGKvjjF97vQk7w"
    /// The certificate that holds it, base64.
    static let certificate =
        "MIIC/zCCAeegAwIBAgIUdtcrr/4LfLRe99hkMtAGd0u67ycwDQYJKoZIhvcNAQELBQAwDzENMAsGA1UEAwwEdGVzdDAeFw0yNjEx"
        + "MjEwNDMxMzhaFw0zNjExMTgwNDMxMzhaMA8xDTALBgNVBAMMBHRlc3QwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQDC"
        + "39Ul848+LbllJX5SFChkwmfBJ9JSaUcuhN/Z0oFr8gg65szBLXzv8ZzX9K8vTJI/YS99ogOz91ObD4rS/Gb0E4m8EVicH5uNbv7U"
        + "qoLibKx12w5ouV7Ykr1vAs3EbBm8xQxYqaV/qoEZQgPrB547J01JBIk3Wq+U91t8puJRNUexqfa4qMSYkwaC43oXCMn1JAgb/WM/"
        + "CzGIAiz8VqSOxOzOETC73g7E/YjNuJ1RNP1RqASlKCJvL8X8cIiRQ2HAVFa+J2dU+tf1a5BhW6gFZSSgDLTUGLuE8LOiUEbn3rW6"
        + "plPP8UuunZMbvM2+fM508ZZQQ6QkYq+OMX3u9CTvAgMBAAGjUzBRMB0GA1UdDgQWBBS3C26maBGceeQ/kfqmWiOxvjuvrTAfBgNV"
        + "HSMEGDAWgBS3C26maBGceeQ/kfqmWiOxvjuvrTAPBgNVHRMBAf8EBTADAQH/MA0GCSqGSIb3DQEBCwUAA4IBAQBNSKOgxzfWj1LD"
        + "+n5Q9DG6KHPgDb3pPvIoTi2+se06iMY/4LUykuIAAxAE372TWuFtxSl9ggLvmDd2ur50qFQDvJqphSEO2ggLlCddVhlXWJoBS2Bh"
        + "y5HzeYJJxYZqwAkzE7Qyppm2hnhG9N5iugXU6RQk1DATDBpUacVxFTgig5pAxO7vEuDWj5QWzvC7AtadDolNO1/X5qKHMUN32HNO"
        + "Mmnxt6sm9g2K/eo0kizlrdDT6/UXez0mpwhxqRpuEyzPpiL80yZI3vwHdCedLlIPdc3HPfCTZplgzaPjBk8MzDae+90pKt4+lNgv"
        + "CovkQcinFbuazDZbiLN6+sti27Ei"
    /// A certificate that holds another key.
    static let otherCertificate =
        "MIIDATCCAemgAwIBAgIUUgJ35iYm+XSCiCmNUcZc2iUyH3gwDQYJKoZIhvcNAQELBQAwEDEOMAwGA1UEAwwFb3RoZXIwHhcNMjYx"
        + "MTIxMDQzMTM4WhcNMzYxMTE4MDQzMTM4WjAQMQ4wDAYDVQQDDAVvdGhlcjCCASIwDQYJKoZIhvcNAQEBBQADggEPADCCAQoCggEB"
        + "AJp23p0WDHT5eeADkNwflMCNks4pSuNiUfk9sZVdUuLYfv2IPoBOQQKS73ZF1fjhpHR2XuOoCGuqO2tOYQguC/hMvKFcS4u3JIF5"
        + "0+IpOBFSEp3zUIsJ9YYzWhIZ7Z7JwMyfHBxR2FqEvqMgm4V+/A8dOdplGSW14fzNlxxMRXAz4uVIvZItGWg6oqRCa7ev6/Zf0yT4"
        + "JuSQf2BHBRV4nVRdVuUG3B4GZK3v/FrGJYMZXjUxVowmc5Nc9s/tMAwwfBIZnkEAwE0/y/IUWkH4ZHZPpx5lm4yMgKCHhnGv9uOj"
        + "1oHOlJ9bANY5SByYN45WbFx6nt4j1r9l8AsJSI86g0cCAwEAAaNTMFEwHQYDVR0OBBYEFDlD4P+Zt9li0PRSJ+M5JUi4vU+TMB8G"
        + "A1UdIwQYMBaAFDlD4P+Zt9li0PRSJ+M5JUi4vU+TMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADggEBAAP2RTNsPLPz"
        + "Qrr2/eWbY0uCdxDGsp2PIphrdYErR401+CSHyg1ZPgiyJZT2LMwtQ1mB6xTI//RV/GZLZg/ADLs0uE1JlKLXe0ECeAgu7ss9BF2H"
        + "404Vu8W/pcojCsYrV3hLCQspSD6hD2lDDjorg/jPWES1dlyq7vCfBLe36HyIfbE2KmUogi5fdDgP+IeUkwp1kvmV+y9t/M+9oodU"
        + "Skg4qsryHsI3MwYqt4nolp0cpRiUO0owxt642oC8rndVJ8w/qzpf4COE/+C+osVPKQK8gZBSMHX7dheqUsCS3xCq9qJP7/euDR4p"
        + "5ifPSt3BWAKYjEWj3c/T+3uRSJ41srE="
    /// A certificate that holds a key of another kind.
    static let curveCertificate =
        "MIIBbjCCARWgAwIBAgIUT9EOnO8xo9ueWaDCfBgMUIJuAbQwCgYIKoZIzj0EAwIwDTELMAkGA1UEAwwCZWMwHhcNMjYxMTIxMDQz"
        + "MTM4WhcNMzYxMTE4MDQzMTM4WjANMQswCQYDVQQDDAJlYzBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABOIEHomLG4n6VDSP28Yq"
        + "JFIAgCXKsbcT4qEGNmIQhzxyvthK89XKBtZpJjrdTGy5diJfAOSMahRJA56hhli41tWjUzBRMB0GA1UdDgQWBBTFyF6Dx0RQ5alR"
        + "ZVRNXGDEHZaWfzAfBgNVHSMEGDAWgBTFyF6Dx0RQ5alRZVRNXGDEHZaWfzAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0cA"
        + "MEQCIGMDo3jpY6oWOErvOxt89auLnubuIs2pZUNtePFckSWCAiBPB16q9K7bhIctJLlcHgi8e309MhYA1gZzQnSGtfwX9A=="
}
