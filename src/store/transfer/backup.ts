import { chmodSync, closeSync, fsyncSync, openSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { backup, DatabaseSync } from 'node:sqlite'
import { PincallError } from '../../errors.ts'
import { openSnapshot } from './sqlite.ts'
import { TABLES } from './tables.ts'

export type Backup = { bytes: number; rows: Record<string, number> }

/** Pages copied at a time; others use the disk in between. */
const PAGES_AT_ONCE = 1000

/**
 * Copies a database file as it is at this moment into a new file of its owner's alone, while a server goes on writing.
 * Everything whose commit was told before this began is in it. The copy is then opened and checked, page by page; one that
 * is not whole is removed.
 */
export async function backupSqlite(path: string, copy: string): Promise<Backup> {
  const { database } = openSnapshot(path) // a copy without it would begin anew at every write of another process
  try {
    make(copy)
    try {
      await backup(database, copy, { rate: PAGES_AT_ONCE })
      const rows = check(copy)
      sync(copy)
      if (process.platform !== 'win32') sync(dirname(copy)) // its name too; Windows opens no directories
      return { bytes: statSync(copy).size, rows }
    } catch (error) {
      for (const end of ['', '-journal', '-wal', '-shm']) rmSync(`${copy}${end}`, { force: true })
      throw reasoned(error, copy)
    }
  } finally {
    database.close()
  }
}

function make(copy: string): void {
  try {
    closeSync(openSync(copy, 'wx', 0o600))
    chmodSync(copy, 0o600)
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw new PincallError(
      'invalid',
      code === 'EEXIST'
        ? `${copy} exists already, and nothing is overwritten: name a new file.`
        : `${copy} can not be written: ${message}.`,
      { cause: error },
    )
  }
}

function check(copy: string): Record<string, number> {
  const database = new DatabaseSync(copy)
  try {
    database.exec('PRAGMA journal_mode = DELETE') // one file, not three; the server that opens it sets its own way again
    const { integrity_check: word } = database.prepare('PRAGMA integrity_check(1)').get() ?? {}
    if (word !== 'ok')
      throw damaged(
        String(word)
          .replace(/[\s*]+/g, ' ')
          .trim(),
      )
    const [reference] = database.prepare('PRAGMA foreign_key_check').all()
    if (reference) throw damaged(`a row of ${reference.table} refers to one of ${reference.parent} that is not there`)
    return Object.fromEntries(
      TABLES.map(({ name }) => [name, Number(database.prepare(`SELECT count(*) AS rows FROM "${name}"`).get()?.rows)]),
    )
  } finally {
    database.close()
  }
}

function sync(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

const damaged = (what: string) =>
  new PincallError(
    'unavailable',
    `The copy is damaged (${what}), and removed: \`pincall doctor\` looks at the database itself. Keep the last good backup.`,
  )

function reasoned(error: unknown, copy: string): unknown {
  if (error instanceof PincallError) return error
  const { message, errcode } = error as { message?: string; errcode?: number }
  if (errcode === undefined) return error
  return new PincallError(
    'unavailable',
    `${copy} can not be written (${message}): it is removed, and nothing else changed.`,
    {
      cause: error,
    },
  )
}
