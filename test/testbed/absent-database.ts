import { PincallError } from '../../src/errors.ts'
import type { Store } from '../../src/store/index.ts'

type Operation = keyof {
  [Name in keyof Store as Store[Name] extends (...args: never[]) => Promise<unknown> ? Name : never]: 1
}

/** A store whose database can be taken away, for some operations or for all. */
export type Absent = {
  store: Store
  /** From now on these are not carried out (all, where none is named). */
  takeAway(...operations: Operation[]): void
  /** From now on these are carried out, but nobody is told so: the connection is lost after the commit. */
  loseAnswers(...operations: Operation[]): void
  bringBack(): void
  /** What was asked of it, in order. */
  asked: Operation[]
}

export function absentDatabase(real: Store): Absent {
  const asked: Operation[] = []
  let away: (name: Operation) => boolean = () => false
  let mute: (name: Operation) => boolean = () => false
  const these = (names: Operation[]) => (name: Operation) => names.length === 0 || names.includes(name)
  const store = new Proxy(real, {
    get(target, property: string) {
      const part = Reflect.get(target, property)
      const name = property as Operation
      if (typeof part !== 'function' || NOT_OPERATIONS.has(property)) return part
      return async (...args: unknown[]) => {
        asked.push(name)
        if (away(name)) throw unavailable()
        const answer = await (part as (...args: unknown[]) => unknown).apply(target, args)
        if (mute(name)) throw unavailable()
        return answer
      }
    },
  })
  return {
    store,
    asked,
    takeAway(...names) {
      away = these(names)
    },
    loseAnswers(...names) {
      mute = these(names)
    },
    bringBack() {
      away = mute = () => false
    },
  }
}

const NOT_OPERATIONS = new Set(['trouble', 'askForHelp', 'onHelpAsked', 'onEvent', 'close'])

const unavailable = () =>
  new PincallError('unavailable', 'The database can not be used at the moment.', { retryAfterMs: 2000 })
