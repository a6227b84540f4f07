import type { Clock } from '../clock.ts'
import { endingOf, SENTENCES } from './endings.ts'
import { Failure } from './io.ts'
import type { Narrator } from './narrator.ts'
import type { Wire } from './wire.ts'

export type Wish = {
  /** Digits, as the wire has it. */
  number: string
  /** The template's text. */
  text: string
}

export type StoryDeps = { wire: Wire; tell: Narrator; clock: Pick<Clock, 'monotonic' | 'wait'> }

type Arrived = { channel: 'sms' | 'voice'; code: string; at: string }
type Progress = { pinId: string; deliveryId: string; step: string }

/** A call is over within this time: the longest call allowed, and a ring before it. */
const CALL_WAIT_S = 90
/** The stream and the answer come over two connections: so long may the stream lag behind. */
const STRAGGLERS_MS = 500
/** How long a text may take to arrive, and a handset to understand what it was read. */
const ARRIVAL_WAIT_S = 20

/** What each step of a call says to a person. */
const STEPS: Record<string, string> = {
  dialling: 'the INVITE is on its way',
  ringing: 'the phone rings',
  answered: 'picked up: the code waits for a person',
  human: 'a person: it is safe to speak',
  machine: 'a machine, it seems: the code stays unsaid',
  unsure: 'not sure who listens: asking for a key',
  reading: 'the code is being read',
}

/** The whole life of a PIN: set up, sent by text, sent again by a call, heard, verified. Throws `Failure` where it breaks. */
export async function tellStory({ wire, tell, clock }: StoryDeps, wish: Wish): Promise<void> {
  const { number, text } = wish
  const after = await lastArrival(wire, number)
  tell.since()
  const { applicationId } = await wire.post<{ applicationId: string }>('/2fa/2/applications', { name: 'Pincall demo' })
  tell.step('application', `“Pincall demo” is made, with the limits of every new one`)
  const { messageId } = await wire.post<{ messageId: string }>(`/2fa/2/applications/${applicationId}/messages`, {
    pinType: 'NUMERIC',
    pinLength: 6,
    messageText: text,
    language: 'en',
    senderId: 'Pincall',
  })
  tell.step('template', `“${text}”, a PIN of six digits, read in English`)
  tell.took('set-up')

  const { pinId } = await wire.post<{ pinId: string }>('/2fa/2/pin', { applicationId, messageId, to: number })
  const sent = await arrival('sms', { wire, number, after })
  tell.step('text', `sent to +${number}; its inbox shows “${await newestText(wire, number)}”`)
  tell.took('text sent and arrived')

  tell.step('call', 'say the text never came: the same PIN again, by a real SIP call', 'also')
  const status = await callAndWatch({ wire, tell, clock }, pinId)
  const expected = endingOf(number).status
  if (status !== expected) throw new Failure(`The call ended as ${status}, where ${expected} was expected.`)
  tell.step('outcome', `${status}: ${SENTENCES[status]}`)

  if (status === 'PROCESSED') {
    const heard = await arrival('voice', { wire, number, after })
    tell.took('handset understood')
    if (heard.code !== sent.code) throw new Failure('The handset heard another code than the one in the text.')
    tell.step('heard', `${heard.code}, understood from the sound of the call alone`)
  }
  tell.since()
  await verify({ wire, tell }, pinId, sent.code, status)
  tell.took('verified')
}

async function verify({ wire, tell }: Pick<StoryDeps, 'wire' | 'tell'>, pinId: string, code: string, status: string) {
  const answer = await wire.post<{ verified: boolean; pinError?: string }>(`/2fa/2/pin/${pinId}/verify`, { pin: code })
  if (!answer.verified) throw new Failure(`The PIN was not accepted: ${answer.pinError ?? 'no reason given'}.`)
  tell.step(
    'verified',
    status === 'PROCESSED' ? 'the code is right: the number is theirs' : 'the code of the text is as good as ever',
  )
}

/** Resends by voice, showing each step of the call as it happens; resolves with the outcome. */
async function callAndWatch({ wire, tell, clock }: StoryDeps, pinId: string): Promise<string> {
  using stop = new DisposableAbort()
  const stream = await wire.listen('/pincall/1/events', stop.signal)
  const begun = clock.monotonic()
  tell.since()
  let dialled = 0
  const watching = watch(stream, pinId, (step) => {
    const again = step === 'dialling' && ++dialled > 1
    tell.moment(clock.monotonic() - begun, step, again ? 'refused: the next trunk is tried' : STEPS[step])
    tell.took(again ? 'refused by a trunk' : TOOK[step])
  })
  const prefer = { prefer: `wait=${CALL_WAIT_S}` }
  const call = wire.post<{ callStatus: string }>(`/2fa/1/pin/${pinId}/resend/voice`, undefined, prefer)
  await Promise.race([watching, call.then(() => clock.wait(STRAGGLERS_MS, stop.signal))])
  const { callStatus } = await call
  tell.took('then until the outcome')
  return callStatus
}

/** Under which name the time up to a step stands in the summary. */
const TOOK: Record<string, string> = {
  dialling: 'prompts spoken and encoded',
  ringing: 'dialled until it rang',
  answered: 'rang until it was answered',
  human: 'listened until it was a human',
  machine: 'listened until it was a machine',
  unsure: 'listened without being sure',
  reading: 'greeting finished',
}

/** Tells the steps of one PIN's call, until the one after which only the outcome is left to come. */
async function watch(
  stream: AsyncIterable<{ name: string; data: string }>,
  pinId: string,
  onStep: (step: string) => void,
) {
  let call: string | undefined // the text of the same PIN may end only now
  for await (const { name, data } of stream) {
    if (name !== 'progress') continue
    const { deliveryId, step, ...progress } = JSON.parse(data) as Progress
    if (progress.pinId !== pinId) continue
    if (STEPS[step]) {
      call = deliveryId
      onStep(step)
    }
    if (step === 'reading' || (step === 'ended' && deliveryId === call)) return
  }
}

class DisposableAbort extends AbortController {
  [Symbol.dispose](): void {
    this.abort()
  }
}

type Looking = { wire: Wire; number: string; after: string | undefined }

/** When the newest code came to the number so far: what is looked for comes after. */
async function lastArrival(wire: Wire, number: string): Promise<string | undefined> {
  const [newest] = await wire.get<Arrived[]>(`/sandbox/pins?to=${number}`)
  return newest?.at
}

/** The first code that comes to the number over `channel`, as whoever holds the phone got to know it. */
async function arrival(channel: Arrived['channel'], { wire, number, after }: Looking): Promise<Arrived> {
  const query = new URLSearchParams({ to: number, channel, wait: String(ARRIVAL_WAIT_S), ...(after && { after }) })
  const [arrived] = await wire.get<Arrived[]>(`/sandbox/pins?${query}`)
  if (!arrived) throw new Failure(`No code came to +${number} by ${channel} within ${ARRIVAL_WAIT_S} s.`)
  return arrived
}

async function newestText(wire: Wire, number: string): Promise<string> {
  const [message] = await wire.get<{ text: string }[]>(`/sandbox/messages?to=${number}`)
  return message?.text ?? ''
}
