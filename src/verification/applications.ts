import { notFound } from '../errors.ts'
import type { Application, ApplicationSettings, Template } from '../store/types.ts'
import { opaqueId } from './ids.ts'
import type { PinDeps } from './pins.ts'
import type { NewApplication, NewTemplate } from './types.ts'

/** The contract's defaults (§1.4). */
export const DEFAULT_SETTINGS: ApplicationSettings = {
  pinAttempts: 10,
  allowMultiplePinVerifications: true,
  pinTimeToLive: { ms: 15 * 60_000, text: '15m' },
  verifyPinLimit: { count: 1, windowMs: 3000, text: '1/3s' },
  sendPinPerApplicationLimit: { count: 10_000, windowMs: 86_400_000, text: '10000/1d' },
  sendPinPerPhoneNumberLimit: { count: 3, windowMs: 86_400_000, text: '3/1d' },
}

type Deps = Pick<PinDeps, 'clock' | 'random' | 'store'>

export async function createApplication(deps: Deps, accountId: string, wanted: NewApplication): Promise<Application> {
  const application: Application = {
    applicationId: opaqueId(deps.random),
    accountId,
    processId: opaqueId(deps.random),
    name: wanted.name,
    enabled: wanted.enabled ?? true,
    settings: { ...DEFAULT_SETTINGS, ...wanted.settings },
    createdAt: deps.clock.now(),
  }
  await deps.store.createApplication(application)
  return application
}

/** Merges at both levels: what is not given stays (contract §1.4). */
export async function updateApplication(
  deps: Deps,
  accountId: string,
  applicationId: string,
  change: Partial<NewApplication>,
): Promise<Application> {
  const before = await application(deps, accountId, applicationId)
  const after = { ...before, ...change, settings: { ...before.settings, ...change.settings } }
  if (!(await deps.store.updateApplication(after))) throw notFound('The application')
  return after
}

export async function application(deps: Deps, accountId: string, applicationId: string): Promise<Application> {
  const found = await deps.store.findApplication(accountId, applicationId)
  if (!found) throw notFound('The application')
  return found
}

export async function createTemplate(
  deps: Deps,
  accountId: string,
  applicationId: string,
  wanted: NewTemplate,
): Promise<Template> {
  await application(deps, accountId, applicationId)
  const template = {
    ...wanted,
    templateId: opaqueId(deps.random),
    applicationId,
    accountId,
    createdAt: deps.clock.now(),
  }
  await deps.store.createTemplate(template)
  return template
}

export async function updateTemplate(
  deps: Deps,
  accountId: string,
  applicationId: string,
  templateId: string,
  change: Partial<NewTemplate>,
): Promise<Template> {
  const after = { ...(await template(deps, accountId, applicationId, templateId)), ...change }
  if (!(await deps.store.updateTemplate(after))) throw notFound('The message template')
  return after
}

export async function template(
  deps: Deps,
  accountId: string,
  applicationId: string,
  templateId: string,
): Promise<Template> {
  const found = await deps.store.findTemplate(accountId, applicationId, templateId)
  if (!found) throw notFound('The message template')
  return found
}

export async function templates(deps: Deps, accountId: string, applicationId: string): Promise<Template[]> {
  await application(deps, accountId, applicationId)
  return deps.store.listTemplates(accountId, applicationId)
}
