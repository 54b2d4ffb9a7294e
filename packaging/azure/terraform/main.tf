# SPDX-License-Identifier: Apache-2.0
#
# One virtual machine with entralogin: an identity of its own, the roles, and the package by cloud-init or the extension.

terraform {
  required_providers {
    azurerm = {
      source  = "hashicorp/azurerm"
      version = "~> 4.0"
    }
  }
}

provider "azurerm" {
  features {}
}

locals {
  uses_extension = var.extension_publisher != ""
  roles          = "/providers/Microsoft.Authorization/roleDefinitions"
  subscription   = "/subscriptions/${data.azurerm_client_config.current.subscription_id}"

  reader              = "${local.subscription}${local.roles}/acdd72a7-3385-48ef-bd42-f606fba81ae7"
  user_login          = "${local.subscription}${local.roles}/fb879df8-f326-4884-b1cf-06f3ad86be52"
  administrator_login = "${local.subscription}${local.roles}/1c0163c0-47e6-4577-8991-ea5c82e286e4"
}

data "azurerm_client_config" "current" {}

resource "azurerm_network_interface" "machine" {
  name                = "${var.name}-nic"
  location            = var.location
  resource_group_name = var.resource_group

  ip_configuration {
    name                          = "primary"
    subnet_id                     = var.subnet_id
    private_ip_address_allocation = "Dynamic"
  }
}

resource "azurerm_linux_virtual_machine" "machine" {
  name                  = var.name
  location              = var.location
  resource_group_name   = var.resource_group
  size                  = var.size
  admin_username        = var.local_administrator
  network_interface_ids = [azurerm_network_interface.machine.id]
  custom_data           = local.uses_extension ? null : filebase64("${path.module}/../cloud-init.yaml")

  identity {
    type = "SystemAssigned"
  }

  # The local administrator stays: entralogin never touches local accounts.
  admin_ssh_key {
    username   = var.local_administrator
    public_key = var.local_administrator_key
  }

  os_disk {
    caching              = "ReadWrite"
    storage_account_type = "Standard_LRS"
  }

  source_image_reference {
    publisher = "Debian"
    offer     = "debian-12"
    sku       = "12-gen2"
    version   = "latest"
  }
}

# The machine asks Resource Manager about users' roles: it has to read the role assignments on itself, and nothing else.
resource "azurerm_role_assignment" "machine_reads" {
  scope              = azurerm_linux_virtual_machine.machine.id
  role_definition_id = local.reader
  principal_id       = azurerm_linux_virtual_machine.machine.identity[0].principal_id
  principal_type     = "ServicePrincipal"
}

# Users get their roles on this machine. With a resource group's id as the scope they get them on all its machines.
resource "azurerm_role_assignment" "users" {
  for_each = toset(var.user_groups)

  scope              = azurerm_linux_virtual_machine.machine.id
  role_definition_id = local.user_login
  principal_id       = each.value
  principal_type     = "Group"
}

resource "azurerm_role_assignment" "administrators" {
  for_each = toset(var.administrator_groups)

  scope              = azurerm_linux_virtual_machine.machine.id
  role_definition_id = local.administrator_login
  principal_id       = each.value
  principal_type     = "Group"
}

resource "azurerm_virtual_machine_extension" "entralogin" {
  count = local.uses_extension ? 1 : 0

  name                       = "entralogin"
  virtual_machine_id         = azurerm_linux_virtual_machine.machine.id
  publisher                  = var.extension_publisher
  type                       = var.extension_type
  type_handler_version       = var.extension_version
  auto_upgrade_minor_version = true
  settings                   = jsonencode(var.extension_settings)
}
