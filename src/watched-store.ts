import { isUnavailable } from './errors.ts'
import type { Store } from './store/index.ts'

type Operation = (...args: unknown[]) => unknown

/** The same store; every operation that the database could not carry out is told, whoever asked for it. */
export function watchedStore(store: Store, onUnavailable: () => void): Store {
  const tell = (error: unknown) => {
    if (isUnavailable(error)) onUnavailable()
  }
  const watched = (operation: Operation): Operation => {
    return (...args) => {
      const result = operation(...args)
      if (result instanceof Promise) result.catch(tell)
      return result
    }
  }
  const entries = Object.entries(store).map(([name, part]) => [
    name,
    typeof part === 'function' ? watched(part as Operation) : part,
  ])
  return Object.fromEntries(entries) as Store
}
