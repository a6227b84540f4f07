import type { Numbers } from '../numbers.ts'
import {
  APPLICATION,
  type ApplicationRow,
  applicationOf,
  bodyOf,
  PIN,
  type PinRow,
  pinOf,
  TEMPLATE,
  type TemplateRow,
  templateOf,
} from '../rows.ts'
import type { Application, Pin, Template } from '../types.ts'
import { makeBatches } from './batch.ts'
import type { Database } from './database.ts'

const MOST_READ_AT_ONCE = 500

export function makeApplications(database: Database) {
  const insert = {
    name: 'create application',
    text: `INSERT INTO applications (application_id, account_id, process_id, name, enabled, settings, created_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7)`,
  }
  const insertAgain = {
    name: 'create application again',
    text: `${insert.text} ON CONFLICT (application_id) DO NOTHING`,
  }
  const update = {
    name: 'update application',
    text: `UPDATE applications SET name = $1, enabled = $2, settings = $3
      WHERE application_id = $4 AND account_id = $5 RETURNING 1`,
  }
  const find = {
    name: 'find applications',
    text: `SELECT ${APPLICATION} FROM applications a WHERE a.application_id = ANY ($1)`,
  }
  const list = {
    name: 'list applications',
    text: `SELECT ${APPLICATION} FROM applications a WHERE a.account_id = $1 ORDER BY a.created_at, a.application_id`,
  }
  const byId = makeBatches<string, Application | undefined>({
    most: MOST_READ_AT_ONCE,
    atOnce: 2,
    async run(ids) {
      const rows = await database.query<ApplicationRow>(find, [[...new Set(ids)]])
      const found = new Map(rows.map((row) => [row.application_id, applicationOf(row)]))
      return ids.map((id) => found.get(id))
    },
  })
  return {
    async create({
      applicationId,
      accountId,
      processId,
      name,
      enabled,
      settings,
      createdAt,
    }: Application): Promise<void> {
      const values = [applicationId, accountId, processId, name, enabled ? 1 : 0, JSON.stringify(settings), createdAt]
      await database.write((again) => database.once(again ? insertAgain : insert, values))
    },
    async update({ applicationId, accountId, name, enabled, settings }: Application): Promise<boolean> {
      const values = [name, enabled ? 1 : 0, JSON.stringify(settings), applicationId, accountId]
      return (await database.query(update, values)).length === 1
    },
    async find(accountId: string, applicationId: string): Promise<Application | undefined> {
      const found = await byId(applicationId)
      return found?.accountId === accountId ? found : undefined
    },
    async list(accountId: string): Promise<Application[]> {
      return (await database.query<ApplicationRow>(list, [accountId])).map(applicationOf)
    },
  }
}

export function makeTemplates(database: Database) {
  const insert = {
    name: 'create template',
    text: `INSERT INTO templates (template_id, application_id, account_id, body, created_at) VALUES ($1, $2, $3, $4, $5)`,
  }
  const insertAgain = { name: 'create template again', text: `${insert.text} ON CONFLICT (template_id) DO NOTHING` }
  const update = {
    name: 'update template',
    text: 'UPDATE templates SET body = $1 WHERE template_id = $2 AND application_id = $3 AND account_id = $4 RETURNING 1',
  }
  const find = { name: 'find templates', text: `SELECT ${TEMPLATE} FROM templates t WHERE t.template_id = ANY ($1)` }
  const list = {
    name: 'list templates',
    text: `SELECT ${TEMPLATE} FROM templates t WHERE t.application_id = $1 AND t.account_id = $2
      ORDER BY t.created_at, t.template_id`,
  }
  const byId = makeBatches<string, Template | undefined>({
    most: MOST_READ_AT_ONCE,
    atOnce: 2,
    async run(ids) {
      const rows = await database.query<TemplateRow>(find, [[...new Set(ids)]])
      const found = new Map(rows.map((row) => [row.template_id, templateOf(row)]))
      return ids.map((id) => found.get(id))
    },
  })
  return {
    async create(template: Template): Promise<void> {
      const { templateId, applicationId, accountId, createdAt } = template
      const values = [templateId, applicationId, accountId, bodyOf(template), createdAt]
      await database.write((again) => database.once(again ? insertAgain : insert, values))
    },
    async update(template: Template): Promise<boolean> {
      const { templateId, applicationId, accountId } = template
      return (await database.query(update, [bodyOf(template), templateId, applicationId, accountId])).length === 1
    },
    async find(accountId: string, applicationId: string, templateId: string): Promise<Template | undefined> {
      const found = await byId(templateId)
      return found?.accountId === accountId && found.applicationId === applicationId ? found : undefined
    },
    async list(accountId: string, applicationId: string): Promise<Template[]> {
      return (await database.query<TemplateRow>(list, [applicationId, accountId])).map(templateOf)
    },
  }
}

type Loaded = { pin: Pin; application: Application; template: Template }

/** A PIN with what it belongs to, in one read. */
export function makeLoadPin(
  database: Database,
  numbers: Numbers,
): (accountId: string, pinId: string) => Promise<Loaded | undefined> {
  const find = {
    name: 'load pins',
    text: `SELECT ${PIN}, ${TEMPLATE}, ${APPLICATION} FROM pins p
      JOIN templates t ON t.template_id = p.template_id
      JOIN applications a ON a.application_id = p.application_id
      WHERE p.pin_id = ANY ($1)`,
  }
  const byId = makeBatches<string, Loaded | undefined>({
    most: MOST_READ_AT_ONCE,
    atOnce: 2,
    async run(ids) {
      const rows = await database.query<PinRow & ApplicationRow & TemplateRow>(find, [[...new Set(ids)]])
      const found = new Map(
        rows.map((row) => [
          row.pin_id,
          { pin: pinOf(row, numbers), application: applicationOf(row), template: templateOf(row) },
        ]),
      )
      return ids.map((id) => found.get(id))
    },
  })
  return async (accountId, pinId) => {
    const found = await byId(pinId)
    return found?.pin.accountId === accountId ? found : undefined
  }
}
