import { PincallError } from '../../errors.ts'

export type BatchOptions<Item, Answer> = {
  /** Items of one batch at most. */
  most: number
  /** Batches under way at once. */
  atOnce: number
  /** Items with a name in common but different tags do not go into one batch: the later one waits. */
  tagsOf?(item: Item): Iterable<readonly [name: string, tag: string]>
  /** Carries a batch out; one answer per item, in their order. An Error as an answer rejects that item alone. Throws with nothing done. */
  run(items: readonly Item[]): Promise<readonly (Answer | Error)[]>
}

/** Fewer than these go together. */
const WORTH_SPLITTING = 16

type Waiting<Item, Answer> = { item: Item; resolve(answer: Answer): void; reject(error: unknown): void }

/**
 * What arrives while a batch is under way goes together into the next: a lone request waits for nobody, and the busier it
 * is the less each costs.
 */
export function makeBatches<Item, Answer>(options: BatchOptions<Item, Answer>): (item: Item) => Promise<Answer> {
  const { most, atOnce, tagsOf, run } = options
  let waiting: Waiting<Item, Answer>[] = []
  let running = 0
  let scheduled = false

  function schedule(): void {
    if (scheduled || waiting.length === 0 || running >= atOnce) return
    scheduled = true
    // after the poll phase: every request that a turn read from its sockets is waiting by then
    setImmediate(() => {
      scheduled = false
      start()
      schedule()
    })
  }

  function start(): void {
    if (running >= atOnce) return
    const batch = take()
    if (batch.length === 0) return
    running++
    settle(batch).finally(() => {
      running--
      schedule()
    })
  }

  function take(): Waiting<Item, Answer>[] {
    // many at once are shared among the batches that may be under way: one is written while the next is put together
    const size = Math.min(most, Math.max(WORTH_SPLITTING, Math.ceil(waiting.length / (atOnce - running))))
    if (!tagsOf) return waiting.splice(0, size)
    const tags = new Map<string, string>()
    const taken: Waiting<Item, Answer>[] = []
    const left: Waiting<Item, Answer>[] = []
    for (const each of waiting) {
      const own = taken.length < size ? [...tagsOf(each.item)] : undefined
      if (!own || own.some(([name, tag]) => (tags.get(name) ?? tag) !== tag)) left.push(each)
      else {
        for (const [name, tag] of own) tags.set(name, tag)
        taken.push(each)
      }
    }
    waiting = left
    return taken
  }

  async function settle(batch: readonly Waiting<Item, Answer>[]): Promise<void> {
    try {
      const answers = await run(batch.map(({ item }) => item))
      for (const [i, { resolve, reject }] of batch.entries()) {
        const answer = answers[i]
        if (answer instanceof Error) reject(answer)
        else resolve(answer)
      }
    } catch (error) {
      if (batch.length > 1 && !(error instanceof PincallError && error.code === 'unavailable')) {
        for (const each of batch) await settle([each]) // one of them is at fault: the others shall not suffer for it
      } else for (const { reject } of batch) reject(error)
    }
  }

  return (item) =>
    new Promise<Answer>((resolve, reject) => {
      waiting.push({ item, resolve, reject })
      schedule()
    })
}
