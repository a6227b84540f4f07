import { Failure } from './io.ts'

/** The HTTP API as the commands use it, with the key of one account. */
export type Wire = {
  readonly url: string
  get<T>(path: string): Promise<T>
  post<T>(path: string, body?: object, headers?: Record<string, string>): Promise<T>
  /** The event stream, open: the headers have arrived, so that nothing that happens from now on is missed. */
  listen(path: string, signal: AbortSignal): Promise<AsyncIterable<StreamEvent>>
}

export type StreamEvent = { name: string; data: string }

/** The server said no. `status` is its HTTP status. */
export class Refused extends Failure {
  readonly status: number

  constructor(sentence: string, status: number) {
    super(sentence)
    this.status = status
  }
}

export function makeWire(url: string, apiKey: string): Wire {
  const ask = async (method: string, path: string, init: RequestInit = {}): Promise<Response> => {
    const headers = { authorization: `App ${apiKey}`, ...(init.headers as Record<string, string>) }
    const answer = await fetch(`${url}${path}`, { ...init, method, headers }).catch((error: Error) => {
      throw new Failure(`${url} does not answer (${reasonOf(error)}): is the server running?`, 1, { cause: error })
    })
    if (!answer.ok) throw new Refused(`${method} ${path}: ${await sentenceOf(answer)}`, answer.status)
    return answer
  }
  return {
    url,
    get: async <T>(path: string) => (await (await ask('GET', path)).json()) as T,
    post: async <T>(path: string, body?: object, headers: Record<string, string> = {}) => {
      const init = body
        ? { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } }
        : { headers }
      return (await (await ask('POST', path, init)).json()) as T
    },
    listen: async (path, signal) => {
      const answer = await ask('GET', path, { signal, headers: { accept: 'text/event-stream' } })
      return readEvents(answer.body ?? new ReadableStream())
    },
  }
}

/** Fetch hides the system's reason one or two causes deep. */
function reasonOf(error: Error): string {
  const cause = error.cause as (Error & { code?: string }) | undefined
  return cause?.code ?? cause?.message ?? error.message
}

type Envelope = {
  requestError?: { serviceException?: { text?: string; validationErrors?: Record<string, string[]> } }
}

async function sentenceOf(answer: Response): Promise<string> {
  const body = (await answer.json().catch(() => ({}))) as Envelope
  const { text, validationErrors } = body.requestError?.serviceException ?? {}
  const fields = Object.entries(validationErrors ?? {}).map(([field, what]) => `${field} ${what.join(', ')}`)
  const wait = answer.headers.get('retry-after')
  return [`${answer.status} ${text ?? answer.statusText}`, ...fields, ...(wait ? [`try again in ${wait} s`] : [])].join(
    '; ',
  )
}

/** Server-sent events (WHATWG HTML §9.2.6), as much as a reader of our own stream needs: `event` and `data` lines. */
export async function* readEvents(body: ReadableStream<Uint8Array>): AsyncGenerator<StreamEvent> {
  let rest = ''
  let name = 'message'
  let data: string[] = []
  for await (const text of body.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop()!
    for (const line of lines) {
      const [, field, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line)!
      if (field === 'event') name = value ?? ''
      else if (field === 'data') data.push(value ?? '')
      else if (line === '') {
        if (data.length > 0) yield { name, data: data.join('\n') }
        name = 'message'
        data = []
      }
    }
  }
}
