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
import type { Database } from './database.ts'

export function prepareApplications(database: Database) {
  const insert = database.prepare(`
    INSERT INTO applications (application_id, account_id, process_id, name, enabled, settings, created_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)`)
  const update = database.prepare(
    'UPDATE applications SET name = ?, enabled = ?, settings = ? WHERE application_id = ? AND account_id = ?',
  )
  const find = database.prepare<ApplicationRow>(
    `SELECT ${APPLICATION} FROM applications a WHERE a.application_id = ? AND a.account_id = ?`,
  )
  const list = database.prepare<ApplicationRow>(
    `SELECT ${APPLICATION} FROM applications a WHERE a.account_id = ? ORDER BY a.created_at, a.application_id`,
  )
  return {
    create({ applicationId, accountId, processId, name, enabled, settings, createdAt }: Application): void {
      insert.run(applicationId, accountId, processId, name, enabled ? 1 : 0, JSON.stringify(settings), createdAt)
    },
    update: ({ applicationId, accountId, name, enabled, settings }: Application): boolean =>
      update.run(name, enabled ? 1 : 0, JSON.stringify(settings), applicationId, accountId) === 1,
    find(accountId: string, applicationId: string): Application | undefined {
      const row = find.get(applicationId, accountId)
      return row && applicationOf(row)
    },
    list: (accountId: string): Application[] => list.all(accountId).map(applicationOf),
  }
}

export function prepareTemplates(database: Database) {
  const insert = database.prepare(
    'INSERT INTO templates (template_id, application_id, account_id, body, created_at) VALUES (?, ?, ?, ?, ?)',
  )
  const update = database.prepare(
    'UPDATE templates SET body = ? WHERE template_id = ? AND application_id = ? AND account_id = ?',
  )
  const find = database.prepare<TemplateRow>(
    `SELECT ${TEMPLATE} FROM templates t WHERE t.template_id = ? AND t.application_id = ? AND t.account_id = ?`,
  )
  const list = database.prepare<TemplateRow>(
    `SELECT ${TEMPLATE} FROM templates t WHERE t.application_id = ? AND t.account_id = ?
     ORDER BY t.created_at, t.template_id`,
  )
  return {
    create(template: Template): void {
      const { templateId, applicationId, accountId, createdAt } = template
      insert.run(templateId, applicationId, accountId, bodyOf(template), createdAt)
    },
    update: (template: Template): boolean =>
      update.run(bodyOf(template), template.templateId, template.applicationId, template.accountId) === 1,
    find(accountId: string, applicationId: string, templateId: string): Template | undefined {
      const row = find.get(templateId, applicationId, accountId)
      return row && templateOf(row)
    },
    list: (accountId: string, applicationId: string): Template[] => list.all(applicationId, accountId).map(templateOf),
  }
}

/** A PIN with what it belongs to, in one read. */
export function prepareLoadPin(database: Database, numbers: Numbers) {
  const find = database.prepare<PinRow & ApplicationRow & TemplateRow>(`
    SELECT ${PIN}, ${TEMPLATE}, ${APPLICATION} FROM pins p
    JOIN templates t ON t.template_id = p.template_id
    JOIN applications a ON a.application_id = p.application_id
    WHERE p.pin_id = ? AND p.account_id = ?`)
  return (accountId: string, pinId: string): { pin: Pin; application: Application; template: Template } | undefined => {
    const row = find.get(pinId, accountId)
    return row && { pin: pinOf(row, numbers), application: applicationOf(row), template: templateOf(row) }
  }
}
