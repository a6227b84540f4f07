/** What a proxy must know of PostgreSQL's protocol 3.0 ("Frontend/Backend Protocol", Message Formats). */
export type Message = {
  /** The message with its type and length, as it goes on. */
  bytes: Buffer
  /** Its type; empty for the first of a client, which has none. */
  type: string
  /** Of a Parse: the statement's name, empty for one that is used once, and its text. */
  parsed?: { name: string; text: string }
  /** Of a Bind or a simple Query: what is carried out. */
  statement?: { name: string; text?: string }
}

const TYPE_BYTES = 1
const LENGTH_BYTES = 4

/** Cuts a stream into messages. `startup` where it is a client's, whose first message has no type. */
export function readMessages(options: {
  startup: boolean
  onMessage(message: Message): void
}): (bytes: Buffer) => void {
  let waiting = Buffer.alloc(0)
  let first = options.startup
  return (bytes) => {
    waiting = Buffer.concat([waiting, bytes])
    for (;;) {
      const typeBytes = first ? 0 : TYPE_BYTES
      if (waiting.length < typeBytes + LENGTH_BYTES) return
      const wholeBytes = typeBytes + waiting.readInt32BE(typeBytes) // the length counts itself
      if (waiting.length < wholeBytes) return
      const message = waiting.subarray(0, wholeBytes)
      waiting = waiting.subarray(wholeBytes)
      const type = first ? '' : String.fromCharCode(message[0])
      first = false
      options.onMessage({ bytes: message, type, ...(options.startup && saidBy(type, message)) })
    }
  }
}

function saidBy(type: string, message: Buffer): Pick<Message, 'parsed' | 'statement'> {
  const strings = message
    .subarray(TYPE_BYTES + LENGTH_BYTES)
    .toString('utf8')
    .split('\0')
  if (type === 'P') return { parsed: { name: strings[0], text: strings[1] } }
  if (type === 'B') return { statement: { name: strings[1] } } // after the portal's name
  if (type === 'Q') return { statement: { name: '', text: strings[0] } }
  return {}
}
