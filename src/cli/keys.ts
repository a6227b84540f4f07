import { hashSecret } from '../api/index.ts'
import { type Clock, systemClock } from '../clock.ts'
import { DEFAULT_ACCOUNT } from '../default-account.ts'
import { makeApiKey } from '../key-files.ts'
import { type Random, systemRandom } from '../random.ts'
import type { ApiKey } from '../store/index.ts'
import { withStore } from './installation.ts'
import { Failure, type Io, paint } from './io.ts'

const SCOPES = ['2fa:manage', '2fa:pin:send']
const DAY_MS = 86_400_000

export type NewKey = { name: string; scope: string[]; days?: number; json?: true }

/** `pincall keys create`: the secret leaves by stdout, once; the store has its hash. */
export async function createKey(
  io: Io,
  asked: NewKey,
  clock: Clock = systemClock,
  random: Random = systemRandom,
): Promise<void> {
  const unknown = asked.scope.find((scope) => !SCOPES.includes(scope))
  if (unknown) throw new Failure(`${unknown} is no scope: known are ${SCOPES.join(' and ')}.`)
  const secret = makeApiKey(random)
  const now = clock.now()
  const key: ApiKey = {
    keyId: random.hex(16).toUpperCase(),
    accountId: DEFAULT_ACCOUNT,
    name: asked.name,
    secretHash: hashSecret(secret),
    enabled: true,
    scopes: asked.scope,
    permissions: ['ALL'],
    allowedIps: [],
    ...(asked.days && { validTo: now + asked.days * DAY_MS }),
    createdAt: now,
  }
  await withStore(io, (store) => store.createKey(key))
  if (asked.json) return io.out(JSON.stringify({ ...shown(key), secret }))
  io.out(secret)
  io.err(`Key ${key.keyId} is made. The line above is its secret: keep it now, it is not shown again.`)
}

/** `pincall keys list`. */
export async function listKeys(io: Io, options: { json?: true }, clock: Clock = systemClock): Promise<void> {
  const keys = await withStore(io, (store) => store.listKeys(DEFAULT_ACCOUNT))
  if (options.json) return io.out(JSON.stringify(keys.map(shown)))
  if (keys.length === 0) return io.out('There are no keys yet: the first start of the server makes one.')
  const width = Math.max(4, ...keys.map(({ name }) => name.length))
  io.out(paint(io, 'bold', `${'ID'.padEnd(32)}  ${'NAME'.padEnd(width)}  WORKS  MADE        ENDS        SCOPES`))
  for (const key of keys) {
    const works = key.enabled && (key.validTo === undefined || key.validTo > clock.now())
    const word = works ? paint(io, 'green', 'yes  ') : paint(io, 'red', 'no   ')
    const ends = key.validTo === undefined ? 'never     ' : day(key.validTo)
    io.out(
      `${key.keyId.padEnd(32)}  ${printable(key.name).padEnd(width)}  ${word}  ${day(key.createdAt)}  ${ends}  ${key.scopes.join(' ')}`,
    )
  }
}

/** `pincall keys disable`. The beginning of an id is enough where it is the only such one. */
export async function disableKey(io: Io, id: string): Promise<void> {
  await withStore(io, async (store) => {
    const found = (await store.listKeys(DEFAULT_ACCOUNT)).filter((key) => key.keyId.startsWith(id.toUpperCase()))
    if (found.length !== 1) {
      throw new Failure(
        `${found.length ? `${found.length} keys have ids that begin` : 'No key has an id that begins'} with ${id}: \`pincall keys list\` prints them.`,
      )
    }
    await store.setKeyEnabled(DEFAULT_ACCOUNT, found[0].keyId, false)
    io.out(`Key ${found[0].keyId} (${printable(found[0].name)}) is off.`)
  })
}

/** Names come over the wire too: what would move the cursor or ring the bell is shown as a question mark. */
const printable = (name: string) => name.replace(/\p{Cc}/gu, '?')

const day = (ms: number) => new Date(ms).toISOString().slice(0, 10)

const shown = ({ keyId, name, enabled, scopes, createdAt, validTo }: ApiKey) => ({
  id: keyId,
  name,
  enabled,
  scopes,
  createdAt: new Date(createdAt).toISOString(),
  ...(validTo !== undefined && { validTo: new Date(validTo).toISOString() }),
})
