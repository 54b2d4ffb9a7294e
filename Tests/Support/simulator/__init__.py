# SPDX-License-Identifier: Apache-2.0
"""A simulator of the parts of Azure that entralogin talks to: IMDS, HIMDS, Entra, PAS, ARM and Microsoft Graph.

A development tool: it follows Documentation/azure.md and nothing else, uses only Python's standard library, and leaves all
public-key cryptography to `openssl` and `ssh-keygen`, which are independent of entralogin.
"""
