import { notFound } from '../errors.ts'
import * as applications from './applications.ts'
import { makeOutcomes } from './outcomes.ts'
import { checkPin, type PinDeps, resendPin, sendPin } from './pins.ts'
import type { Verification } from './types.ts'

export { DEFAULT_SETTINGS } from './applications.ts'
export { type CodeKeys, type CodeOf, codeKeys, codeOf } from './code.ts'
export { opaqueId } from './ids.ts'
export type { PinDeps } from './pins.ts'
export { fillText, placeholdersOf } from './text.ts'
export * from './types.ts'

/** The verbs of the wire, introduced to what they need. */
export function makeVerification(deps: PinDeps): Verification {
  const outcomes = makeOutcomes(deps)
  return {
    createApplication: (...args) => applications.createApplication(deps, ...args),
    updateApplication: (...args) => applications.updateApplication(deps, ...args),
    application: (...args) => applications.application(deps, ...args),
    applications: (accountId) => deps.store.listApplications(accountId),
    createTemplate: (...args) => applications.createTemplate(deps, ...args),
    updateTemplate: (...args) => applications.updateTemplate(deps, ...args),
    template: (...args) => applications.template(deps, ...args),
    templates: (...args) => applications.templates(deps, ...args),
    sendPin: (send) => sendPin(deps, send),
    resendPin: (resend) => resendPin(deps, resend),
    checkPin: (check) => checkPin(deps, check),
    async verifications(query) {
      await applications.application(deps, query.accountId, query.applicationId)
      return deps.store.verifications(query)
    },
    async deliveries(accountId, pinId) {
      if (!(await deps.store.loadPin(accountId, pinId))) throw notFound('The PIN')
      return deps.store.deliveriesOf(accountId, pinId)
    },
    outcomeOf: outcomes.outcomeOf,
  }
}
