import { type Static, Type } from 'typebox'
import type { Application } from '../store/types.ts'
import {
  ConfigurationInput,
  ConfigurationV1,
  ConfigurationV1Written,
  ConfigurationV2,
  configurationV1,
  configurationV1Written,
  configurationV2,
} from './configuration.ts'
import { answers, named, Text } from './schemas.ts'

/** An application on the wire. The order of the keys is the contract's, which differs by version and by method (§1.4). */

const Name = Text({
  minLength: 1,
  maxLength: 255,
  pattern: '\\S',
  wants: 'must be 1 to 255 characters and not empty',
  examples: ['2fa application name'],
})
const rest = {
  enabled: Type.Optional(Type.Boolean({ description: 'PINs are sent only while true. Default true.' })),
  configuration: Type.Optional(ConfigurationInput),
}
const example = {
  name: '2fa application name',
  enabled: true,
  configuration: {
    pinAttempts: 5,
    allowMultiplePinVerifications: true,
    pinTimeToLive: '10m',
    verifyPinLimit: '2/4s',
    sendPinPerApplicationLimit: '5000/12h',
    sendPinPerPhoneNumberLimit: '2/1d',
  },
}

export const ApplicationRequest = named(
  'ApplicationRequest',
  Type.Object({ name: Name, ...rest }, { examples: [example] }),
)
/** Version 1 changes what is given; version 2 does too, but wants the name (contract §1.4). */
export const ApplicationChangeV1 = named('ApplicationChangeV1', Type.Object({ name: Type.Optional(Name), ...rest }))

export const ApplicationV1 = answers(
  'ApplicationResponseV1',
  Type.Object({
    applicationId: Type.String(),
    name: Type.String(),
    processId: Type.String(),
    enabled: Type.Boolean(),
    configuration: ConfigurationV1,
  }),
)
export const ApplicationV1Written = answers(
  'ApplicationWrittenResponseV1',
  Type.Object({
    applicationId: Type.String(),
    name: Type.String(),
    configuration: ConfigurationV1Written,
    enabled: Type.Boolean(),
    processId: Type.String(),
  }),
)
export const ApplicationV2 = answers(
  'ApplicationResponse',
  Type.Object(
    {
      applicationId: Type.String(),
      name: Type.String(),
      configuration: ConfigurationV2,
      enabled: Type.Boolean(),
    },
    { examples: [{ applicationId: '0933F3BC087D2A617AC6DCB2EF5B8A61', ...example }] },
  ),
)

export const applicationV1 = (application: Application): Static<typeof ApplicationV1> => ({
  applicationId: application.applicationId,
  name: application.name,
  processId: application.processId,
  enabled: application.enabled,
  configuration: configurationV1(application.settings),
})

export const applicationV1Written = (application: Application): Static<typeof ApplicationV1Written> => ({
  ...applicationV1(application),
  configuration: configurationV1Written(application.settings),
})

export const applicationV2 = (application: Application): Static<typeof ApplicationV2> => ({
  applicationId: application.applicationId,
  name: application.name,
  configuration: configurationV2(application.settings),
  enabled: application.enabled,
})
