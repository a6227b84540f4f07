// Prints what happens, as it happens: each step of every call, outcomes, verified PINs. Start a server first (npm start), then:
//   node examples/listen-to-events.ts          and in another terminal: npm run demo
// No event ever carries a code. Outcomes are numbered: after a break this asks for what it has missed.
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'

const url = process.env.PINCALL_URL ?? 'http://127.0.0.1:8020'
const key = process.env.PINCALL_API_KEY ?? readFileSync('./data/api-key.txt', 'utf8').trim()

type Told = { at: number; pinId: string; step?: string; callStatus?: string; channel?: string }

/** Keep it where a restart finds it: with it, no outcome is ever missed. */
let lastEventId: string | undefined

const what: Record<string, (told: Told) => string> = {
  progress: ({ step }) => `now: ${step}`,
  'delivery.outcome': ({ callStatus }) => `outcome known: ${callStatus}`,
  'delivery.closed': ({ channel, callStatus }) => `${channel} is over${callStatus ? `: ${callStatus}` : ''}`,
  'delivery.corrected': ({ callStatus }) => `its true end came late: ${callStatus}`,
  'pin.verified': () => 'the number is verified',
}

for (;;) {
  try {
    await listen()
  } catch (error) {
    console.error(`The stream broke (${(error as Error).message}): again in two seconds.`)
  }
  await wait(2000)
}

async function listen(): Promise<void> {
  const answer = await fetch(`${url}/pincall/1/events`, {
    headers: { authorization: `App ${key}`, ...(lastEventId && { 'last-event-id': lastEventId }) },
  })
  if (!answer.ok || !answer.body) throw new Error(`${answer.status} ${await answer.text()}`)
  console.log(`Listening to ${url}; Ctrl-C ends.`)
  let rest = ''
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const messages = (rest + text).split('\n\n') // a message ends with an empty line
    rest = messages.pop()!
    for (const message of messages) tell(message)
  }
  throw new Error('the server ended it')
}

function tell(message: string): void {
  const field = (name: string) => new RegExp(`^${name}: ?(.*)$`, 'm').exec(message)?.[1]
  const [id, name, data] = [field('id'), field('event'), field('data')]
  if (id) lastEventId = id
  if (!name || !data) return // a comment that keeps the line open
  const told = JSON.parse(data) as Told
  console.log(`${new Date(told.at).toISOString()}  ${told.pinId.slice(0, 12)}…  ${what[name]?.(told) ?? name}`)
}
