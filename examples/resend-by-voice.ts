// The text never came: the same PIN once more, by a phone call. Start a server first (npm start), then:
//   node examples/resend-by-voice.ts [number]
// Numbers that end in 90 to 99 show how calls fail: 41793026791 is busy, 41793026790 is a voicemail.
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'

const url = process.env.PINCALL_URL ?? 'http://127.0.0.1:8020'
const key = process.env.PINCALL_API_KEY ?? readFileSync('./data/api-key.txt', 'utf8').trim()
const to = process.argv[2] ?? '41793026727'

async function post<T>(path: string, body?: object, headers: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `App ${key}`, 'content-type': 'application/json', ...headers },
    ...(body && { body: JSON.stringify(body) }),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

const { applicationId } = await post<{ applicationId: string }>('/2fa/2/applications', { name: 'resend example' })
const { messageId } = await post<{ messageId: string }>(`/2fa/2/applications/${applicationId}/messages`, {
  pinType: 'NUMERIC',
  pinLength: 6,
  messageText: 'Your code is {{pin}}.',
  language: 'en',
  repeatDTMF: '1#', // whoever presses 1 or # hears the code again
})
const { pinId } = await post<{ pinId: string }>('/2fa/2/pin', { applicationId, messageId, to })
console.log(`Text sent to +${to}; now the same PIN by a call…`)

// Version 1 answers when the call's outcome is known; version 2 (/2fa/2/…) at once. The same Idempotency-Key makes it safe
// to send this request again after a time-out: nobody is rung twice.
const call = await post<{ callStatus: string }>(`/2fa/1/pin/${pinId}/resend/voice`, undefined, {
  'idempotency-key': randomUUID(),
})

const advice: Record<string, string> = {
  PROCESSED: 'a person heard the code: ask the user for it',
  PROCESSING: 'the call goes on: the event stream will tell (examples/listen-to-events.ts)',
  ANSWERED_MACHINE: 'a machine answered and was told nothing: offer another call later, or a text',
  ERROR_USER_BUSY: 'busy or declined: offer another call, do not place one unasked',
  ERROR_NO_ANSWER: 'nobody answered: offer another call',
  ERROR_NETWORK_NOT_AVAILABLE: 'no such number: ask the user to check it',
}
console.log(`${call.callStatus}: ${advice[call.callStatus] ?? 'the call could not be made'}.`)
if (call.callStatus === 'PROCESSED') {
  // Only the sandbox can say what the phone heard; a real user reads it from memory.
  const heard = await fetch(`${url}/sandbox/pins?to=${to}&wait=20`, { headers: { authorization: `App ${key}` } })
  const pins = heard.ok ? ((await heard.json()) as { channel: string; code: string }[]) : []
  console.log(`The sandbox phone understood ${pins.find((pin) => pin.channel === 'voice')?.code ?? 'nothing yet'}.`)
}
