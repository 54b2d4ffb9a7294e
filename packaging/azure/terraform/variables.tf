# SPDX-License-Identifier: Apache-2.0

variable "name" {
  type    = string
  default = "contoso-vm"
}

variable "location" {
  type = string
}

variable "resource_group" {
  type = string
}

variable "size" {
  type    = string
  default = "Standard_B2s"
}

variable "subnet_id" {
  description = "The machine must reach Entra, PAS and Resource Manager over HTTPS from there."
  type        = string
}

variable "local_administrator" {
  type    = string
  default = "lisa"
}

variable "local_administrator_key" {
  description = "Public key, in OpenSSH's form."
  type        = string
}

variable "user_groups" {
  description = "Object ids of groups whose people may sign in."
  type        = list(string)
  default     = []
}

variable "administrator_groups" {
  description = "Object ids of groups whose people may sign in and use sudo."
  type        = list(string)
  default     = []
}

variable "extension_publisher" {
  description = "Under which you have registered the extension; empty: cloud-init installs the package."
  type        = string
  default     = ""
}

variable "extension_type" {
  type    = string
  default = "SSHLogin"
}

variable "extension_version" {
  type    = string
  default = "0.1"
}

variable "extension_settings" {
  description = "By section and key: Documentation/settings.md."
  type        = map(map(string))
  default = {
    Accounts = {
      Domains = "contoso.com"
    }
  }
}
