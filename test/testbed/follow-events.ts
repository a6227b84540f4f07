import type { RunningPincall } from './running-server.ts'

export type Followed = { name: string; data: Record<string, unknown> }

/** A reader of a node's event stream that keeps all it read. */
export type Follower = {
  /** The first event, read already or to come, of which this is so; rejects where none comes in time. */
  first(is: (event: Followed) => boolean, withinMs?: number): Promise<Followed>
  [Symbol.asyncDispose](): Promise<void>
}

/** Resolves once the stream is open: nothing that happens from then on is missed. */
export async function followEvents(pincall: Pick<RunningPincall, 'url' | 'key'>): Promise<Follower> {
  const leave = new AbortController()
  const response = await fetch(`${pincall.url}/pincall/1/events`, {
    headers: { authorization: `App ${pincall.key}` },
    signal: leave.signal,
  })
  const seen: Followed[] = []
  const waiting = new Set<() => void>()
  const opened = Promise.withResolvers<void>()
  const read = async () => {
    let rest = ''
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      opened.resolve()
      const messages = (rest + chunk).split('\n\n')
      rest = messages.pop()!
      for (const message of messages) {
        const [, name, data] = /^event: (.*)\ndata: (.*)$/m.exec(message) ?? []
        if (name) seen.push({ name, data: JSON.parse(data) })
      }
      for (const look of [...waiting]) look()
    }
  }
  const reading = read().catch(() => {}) // the node died, or we left: `first` says what did not come
  await opened.promise
  return {
    first(is, withinMs = 30_000) {
      return new Promise((found, failed) => {
        const look = () => {
          const event = seen.find(is)
          if (event) end(() => found(event))
        }
        const late = setTimeout(() => end(() => failed(new Error(`not among ${JSON.stringify(seen)}`))), withinMs)
        const end = (tell: () => void) => {
          clearTimeout(late)
          waiting.delete(look)
          tell()
        }
        waiting.add(look)
        look()
      })
    },
    async [Symbol.asyncDispose]() {
      leave.abort()
      await reading
    },
  }
}
