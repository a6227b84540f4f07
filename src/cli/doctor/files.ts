import { constants, type Stats } from 'node:fs'
import { access, stat, statfs } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { inspectPostgres } from '../../store/index.ts'
import { type Finding, fail, ok, type Patient, reasonOf, warn } from './types.ts'

const MIB = 2 ** 20
const LOW_BYTES = 1024 * MIB
const EMPTY_BYTES = 100 * MIB

/** The data directory can be written, or can be made. */
export async function checkDataDir({ settings }: Patient): Promise<Finding[]> {
  const dir = resolve(settings.dataDir)
  const found = await stat(dir).catch(() => undefined)
  const at = found ? dir : await nearest(dir)
  try {
    if (found && !found.isDirectory()) throw new Error('it is no directory')
    await access(at, constants.W_OK | constants.X_OK)
  } catch (error) {
    const todo = 'Let the user that runs Pincall write there, or name another place in PINCALL_DATA_DIR.'
    return [fail('data directory', `${dir} cannot be written (${reasonOf(error)})`, todo)]
  }
  if (!found) return [ok('data directory', `${dir} will be made at the first start`)]
  const mode = found.mode & 0o777
  if (mode & 0o007) {
    const saw = `${dir} is open to every user of this machine (mode ${octal(mode)})`
    return [warn('data directory', saw, `Close it: chmod 700 ${dir}`)]
  }
  return [ok('data directory', `${dir} can be written`)]
}

/** The secrets that the server reads from files are there where they must be, and for the owner's eyes only. */
export async function checkKeyFiles(patient: Patient): Promise<Finding[]> {
  const { env, settings } = patient
  const started = await wasStarted(patient)
  const files = [
    { name: 'secret.key', setting: 'PINCALL_SECRET_KEY', irreplaceable: true },
    { name: 'api-key.txt', setting: 'PINCALL_API_KEY', irreplaceable: false },
    { name: 'account-password.txt', setting: 'PINCALL_ACCOUNT_PASSWORD', irreplaceable: false },
  ]
  return Promise.all(
    files.map(async ({ name, setting, irreplaceable }) => {
      const path = join(settings.dataDir, name)
      if (env[setting]) return ok(name, `given by ${setting}`)
      const found = await stat(path).catch(() => undefined)
      if (found) return checkMode(name, path, found)
      if (irreplaceable && started) {
        const saw = `${path} is gone: codes on their way can no longer be checked`
        return fail(name, saw, `Restore it from a backup, or give its content as ${setting}.`)
      }
      if (!irreplaceable && !settings.sandbox.on) {
        return fail(name, 'the sandbox is off and no secret is set', `Set ${setting} in the environment of the server.`)
      }
      return ok(name, 'will be made at the next start')
    }),
  )
}

/** Whether there is a database already: then its master key is irreplaceable. */
async function wasStarted({ settings, databasePath }: Patient): Promise<boolean> {
  const { url } = settings.database
  if (!url) return (await stat(databasePath).catch(() => undefined)) !== undefined
  const seen = await inspectPostgres(url).catch(() => undefined)
  return seen !== undefined && seen.version > 0
}

async function checkMode(name: string, path: string, found: Stats): Promise<Finding> {
  const readable = await access(path, constants.R_OK).then(
    () => true,
    () => false,
  )
  if (!readable) return fail(name, `${path} cannot be read`, 'Make the user that runs Pincall its owner.')
  const mode = found.mode & 0o777
  if ((mode & 0o077) === 0) return ok(name, 'there, for its owner only')
  return fail(name, `${path} has mode ${octal(mode)}: others can read or change it`, `Close it: chmod 600 ${path}`)
}

export async function checkDisk({ settings }: Patient): Promise<Finding[]> {
  const at = await nearest(resolve(settings.dataDir))
  const { bavail, bsize } = await statfs(at)
  const free = bavail * bsize
  const saw = `${free < LOW_BYTES ? `${Math.floor(free / MIB)} MiB` : `${Math.floor(free / LOW_BYTES)} GiB`} free at ${at}`
  const todo = 'Free some space: a database that cannot grow refuses every send.'
  if (free < EMPTY_BYTES) return [fail('disk', saw, todo)]
  return [free < LOW_BYTES ? warn('disk', saw, todo) : ok('disk', saw)]
}

/** The directory itself, or the closest one above it that exists. */
async function nearest(dir: string): Promise<string> {
  const there = await stat(dir).catch(() => undefined)
  return there?.isDirectory() || dirname(dir) === dir ? dir : nearest(dirname(dir))
}

const octal = (mode: number): string => mode.toString(8).padStart(4, '0')
