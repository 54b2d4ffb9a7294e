// SPDX-License-Identifier: Apache-2.0
//
// One virtual machine with entralogin: an identity of its own, the roles, and the package by cloud-init or the extension.
// az deployment group create --resource-group web --template-file main.bicep --parameters ...
targetScope = 'resourceGroup'

param name string = 'contoso-vm'
param location string = resourceGroup().location
param size string = 'Standard_B2s'

@description('Resource id of the subnet. The machine must reach Entra, PAS and Resource Manager over HTTPS from there.')
param subnetId string

@description('The local administrator, who stays: entralogin never touches local accounts.')
param localAdministrator string = 'lisa'
param localAdministratorKey string

@description('Object ids of groups whose people may sign in, and of those who may use sudo.')
param userGroups array = []
param administratorGroups array = []

@description('Publisher under which you have registered the extension; empty: cloud-init installs the package.')
param extensionPublisher string = ''
param extensionType string = 'SSHLogin'
param extensionVersion string = '0.1'

@description('Settings by section and key, for the extension: Documentation/settings.md.')
param extensionSettings object = {
  Accounts: {
    Domains: 'contoso.com'
  }
}

var usesExtension = !empty(extensionPublisher)
var reader = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'acdd72a7-3385-48ef-bd42-f606fba81ae7')
var userLogin = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', 'fb879df8-f326-4884-b1cf-06f3ad86be52')
var administratorLogin = subscriptionResourceId('Microsoft.Authorization/roleDefinitions', '1c0163c0-47e6-4577-8991-ea5c82e286e4')

resource interface 'Microsoft.Network/networkInterfaces@2023-09-01' = {
  name: '${name}-nic'
  location: location
  properties: {
    ipConfigurations: [
      {
        name: 'primary'
        properties: {
          subnet: {
            id: subnetId
          }
          privateIPAllocationMethod: 'Dynamic'
        }
      }
    ]
  }
}

resource machine 'Microsoft.Compute/virtualMachines@2023-09-01' = {
  name: name
  location: location
  identity: {
    type: 'SystemAssigned'
  }
  properties: {
    hardwareProfile: {
      vmSize: size
    }
    storageProfile: {
      imageReference: {
        publisher: 'Debian'
        offer: 'debian-12'
        sku: '12-gen2'
        version: 'latest'
      }
      osDisk: {
        createOption: 'FromImage'
      }
    }
    networkProfile: {
      networkInterfaces: [
        {
          id: interface.id
        }
      ]
    }
    osProfile: {
      computerName: name
      adminUsername: localAdministrator
      customData: usesExtension ? null : loadFileAsBase64('../cloud-init.yaml')
      linuxConfiguration: {
        disablePasswordAuthentication: true
        ssh: {
          publicKeys: [
            {
              path: '/home/${localAdministrator}/.ssh/authorized_keys'
              keyData: localAdministratorKey
            }
          ]
        }
      }
    }
  }
}

// The machine asks Resource Manager about users' roles: it has to read the role assignments on itself, and nothing else.
resource machineReads 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(machine.id, reader)
  scope: machine
  properties: {
    principalId: machine.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: reader
  }
}

// Users get their roles on this machine. Without the scope they get them on all machines of the resource group.
resource users 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for group in userGroups: {
  name: guid(machine.id, userLogin, group)
  scope: machine
  properties: {
    principalId: group
    principalType: 'Group'
    roleDefinitionId: userLogin
  }
}]

resource administrators 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for group in administratorGroups: {
  name: guid(machine.id, administratorLogin, group)
  scope: machine
  properties: {
    principalId: group
    principalType: 'Group'
    roleDefinitionId: administratorLogin
  }
}]

resource extension 'Microsoft.Compute/virtualMachines/extensions@2023-09-01' = if (usesExtension) {
  parent: machine
  name: 'entralogin'
  location: location
  properties: {
    publisher: extensionPublisher
    type: extensionType
    typeHandlerVersion: extensionVersion
    autoUpgradeMinorVersion: true
    settings: extensionSettings
  }
}
