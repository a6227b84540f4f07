import { createHmac } from 'node:crypto'
import type { Clock } from '../clock.ts'
import { PincallError } from '../errors.ts'
import type { Random } from '../random.ts'
import type { Store } from '../store/types.ts'
import { Memo } from './memo.ts'
import { NOBODY, verifyPassword } from './passwords.ts'

/** A login checked lately is not put through scrypt again. */
const REMEMBERED = { ttlMs: 10 * 60_000, most: 1000 }
/** A flood of guesses must not take every core, nor queue without end. */
const TURNS = { atOnce: 2, waiting: 64 }

export type Logins = {
  /** The account of a user with this password; throws `unauthenticated`. */
  accountOf(user: string, password: string): Promise<string>
}

export const unauthenticated = (): PincallError => new PincallError('unauthenticated', 'Invalid login details')

/**
 * Checks passwords. What is remembered is that a credential, known here only by a keyed digest, matched a certain hash; the
 * login's row is read every time, so a changed password counts at once.
 */
export function makeLogins(
  deps: { clock: Clock; random: Random; store: Pick<Store, 'findLogin'> },
  { verify = verifyPassword, turns = TURNS } = {},
): Logins {
  const digestKey = deps.random.bytes(32)
  const matched = new Memo<string>(deps.clock, REMEMBERED)
  const checking = new Map<string, Promise<boolean>>()
  const takeTurn = makeTurns(turns)

  function check(credential: string, password: string, passwordHash: string): Promise<boolean> {
    const name = `${credential} ${passwordHash}`
    const running = checking.get(name) // many requests with the same login begin together: one of them does the work
    if (running) return running
    const started = takeTurn(() => verify(password, passwordHash)).finally(() => checking.delete(name))
    checking.set(name, started)
    return started
  }

  return {
    async accountOf(user, password) {
      const login = await deps.store.findLogin(user)
      const credential = createHmac('sha256', digestKey)
        .update(JSON.stringify([user, password]))
        .digest('base64')
      if (login && matched.get(credential) === login.passwordHash) return login.accountId
      const right = await check(credential, password, login?.passwordHash ?? NOBODY) // an unknown user takes as long
      if (!login || !right) throw unauthenticated()
      matched.set(credential, login.passwordHash)
      return login.accountId
    },
  }
}

/** Lets `atOnce` run and some wait; who comes later is sent away. */
function makeTurns({ atOnce, waiting }: typeof TURNS) {
  let running = 0
  const queue: (() => void)[] = []
  return async <Result>(work: () => Promise<Result>): Promise<Result> => {
    if (running >= atOnce) {
      if (queue.length >= waiting) {
        throw new PincallError('unavailable', 'Too many logins are being checked: try again in a moment.', {
          retryAfterMs: 1000,
        })
      }
      await new Promise<void>((turn) => queue.push(turn)) // whoever ends hands its place over
    } else running++
    try {
      return await work()
    } finally {
      const next = queue.shift()
      if (next) next()
      else running--
    }
  }
}
