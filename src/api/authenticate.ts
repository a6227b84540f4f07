import type { Clock } from '../clock.ts'
import type { Random } from '../random.ts'
import type { ApiKey, Session, Store } from '../store/types.ts'
import { allowedBy } from './allowed-ips.ts'
import { type Logins, unauthenticated } from './logins.ts'
import { Memo } from './memo.ts'
import { EVERYTHING, scopesOf } from './scopes.ts'
import { hashSecret } from './secrets.ts'
import type { Caller } from './types.ts'

/**
 * A key that was looked up is remembered for so long: a key that somebody turns off (`pincall keys disable`, another
 * process) works for at most these five seconds more.
 */
const KEYS_REMEMBERED = { ttlMs: 5000, most: 10_000 }

export type Authenticate = (authorization: string | undefined, address: string) => Caller | Promise<Caller>

type Deps = {
  clock: Clock
  random: Random
  store: Pick<Store, 'findKey' | 'useSession'>
  logins: Logins
}

type KnownKey = { key: ApiKey; caller: Caller; allows: ((address: string) => boolean) | undefined }

/** From the Authorization header to the caller, by any of the contract's four schemes (§2). Throws `unauthenticated`. */
export function makeAuthenticate(deps: Deps): Authenticate {
  const keys = new Memo<KnownKey>(deps.clock, KEYS_REMEMBERED)

  /** Answers without a promise where the key is remembered: this is on the path of every request. */
  function byKey(secret: string, address: string): Caller | Promise<Caller> {
    const secretHash = hashSecret(secret)
    const known = keys.get(secretHash)
    if (known) return admit(known, address)
    return deps.store.findKey(secretHash).then((key) => {
      if (!key) throw unauthenticated()
      const found: KnownKey = {
        key,
        caller: { accountId: key.accountId, by: 'key', scopes: scopesOf(key) },
        allows: allowedBy(key.allowedIps),
      }
      keys.set(secretHash, found)
      return admit(found, address)
    })
  }

  function admit({ key, caller, allows }: KnownKey, address: string): Caller {
    const now = deps.clock.now()
    const works = key.enabled && (key.validFrom ?? now) <= now && now < (key.validTo ?? Infinity)
    if (!works || (allows && !allows(address))) throw unauthenticated()
    return caller
  }

  async function byPassword(credentials: string): Promise<Caller> {
    const [, user, password] = /^([^:]*):(.*)$/s.exec(Buffer.from(credentials, 'base64').toString('utf8')) ?? []
    if (!user || !password) throw unauthenticated()
    return { accountId: await deps.logins.accountOf(user, password), by: 'password', scopes: EVERYTHING }
  }

  async function byToken(token: string, kind: Session['kind']): Promise<Caller> {
    const session = await deps.store.useSession(hashSecret(token), deps.clock.now())
    if (session?.kind !== kind) throw unauthenticated()
    return { accountId: session.accountId, by: kind, scopes: EVERYTHING }
  }

  return (authorization, address) => {
    const [, scheme, secret] = /^(?:(\w+)\s+)?(\S+)$/.exec(authorization?.trim() ?? '') ?? []
    if (!secret) throw unauthenticated()
    switch (scheme?.toLowerCase()) {
      case 'app':
      case undefined: // a key pasted alone, as people do on /docs
        return byKey(secret, address)
      case 'basic':
        return byPassword(secret)
      case 'bearer':
        return byToken(secret, 'oauth')
      case 'ibsso':
        return byToken(secret, 'session')
      default:
        throw unauthenticated()
    }
  }
}

/** The token of an `IBSSO` header, for ending its session. */
export const sessionTokenOf = (authorization: string | undefined): string | undefined =>
  /^\s*IBSSO\s+(\S+)\s*$/i.exec(authorization ?? '')?.[1]
