import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { GivenSecrets } from './config.ts'
import { wrong } from './config-file.ts'
import type { Random } from './random.ts'

/** The secrets a running server has, wherever they came from. */
export type Secrets = {
  /** First one makes new codes; the others still read codes made before a rotation. */
  masterKeys: { id: string; key: Buffer }[]
  apiKey: string
  user: string
  password: string
  /** Names of files that were made just now, so that the start can say so. */
  made: string[]
}

const OWNER_ONLY = 0o600

/**
 * Completes the secrets that the environment gave: what is absent is read from the data directory, and made there at the
 * first start. API key and password are kept in clear only while the sandbox is on; with real trunks they must be given.
 */
export function completeSecrets(given: GivenSecrets, dataDir: string, sandbox: boolean, random: Random): Secrets {
  try {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw wrong(
      `PINCALL_DATA_DIR ${dataDir} can not be made (${(error as NodeJS.ErrnoException).code}): name a directory that can be written.`,
    )
  }
  const made: string[] = []
  const kept = (file: string, make: () => string): string => {
    const path = join(dataDir, file)
    if (existsSync(path)) {
      chmodSync(path, OWNER_ONLY)
      return readFileSync(path, 'utf8').trim()
    }
    const value = make()
    writeFileSync(path, `${value}\n`, { mode: OWNER_ONLY, flag: 'wx' })
    made.push(path)
    return value
  }
  const keptInSandbox = (setting: string, file: string, make: () => string): string => {
    if (!sandbox) throw wrong(`${setting} is needed while the sandbox is off: set it in the environment.`)
    return kept(file, make)
  }
  return {
    masterKeys: parseMasterKeys(given.masterKey ?? kept('secret.key', () => random.hex(32)), dataDir),
    apiKey: given.apiKey ?? keptInSandbox('PINCALL_API_KEY', 'api-key.txt', () => makeApiKey(random)),
    user: given.user ?? 'pincall',
    password: given.password ?? keptInSandbox('PINCALL_ACCOUNT_PASSWORD', 'account-password.txt', () => random.hex(12)),
    made,
  }
}

/** `<32 lower hex>-<UUID>`, as the contract's keys look (§1.3). */
export function makeApiKey(random: Random): string {
  const hex = random.hex(16)
  return `${random.hex(16)}-${hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')}`
}

/** The master keys of an installation that was started before, for commands beside the server: none is made. */
export function readMasterKeys(given: GivenSecrets, dataDir: string): Secrets['masterKeys'] {
  if (given.masterKey) return parseMasterKeys(given.masterKey, dataDir)
  const path = join(dataDir, 'secret.key')
  if (!existsSync(path)) {
    throw wrong(`There is no master key in ${path}: set PINCALL_SECRET_KEY, or PINCALL_DATA_DIR, as the server has it.`)
  }
  return parseMasterKeys(readFileSync(path, 'utf8').trim(), dataDir)
}

function parseMasterKeys(text: string, dataDir: string): Secrets['masterKeys'] {
  return text.split(/[,\s]+/).map((entry) => {
    const [, id, hex] = /^(?:([\w.-]+):)?([0-9a-f]{64})$/i.exec(entry) ?? []
    if (!hex) {
      throw wrong(
        `${join(dataDir, 'secret.key')} wants 64 hex digits, or a line id:hex for each key with the current one first: restore it from a backup.`,
      )
    }
    return { id: id ?? 'k1', key: Buffer.from(hex, 'hex') }
  })
}
