// Sends a PIN by SMS and checks what the user types. Start a server first (npm start), then:
//   node examples/send-a-pin.ts [number]
// With the sandbox on no text leaves this machine: its inbox is at /sandbox/ of the server.
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline/promises'

const url = process.env.PINCALL_URL ?? 'http://127.0.0.1:8020'
const key = process.env.PINCALL_API_KEY ?? readFileSync('./data/api-key.txt', 'utf8').trim()
const to = process.argv[2] ?? '41793026727'

async function post<T>(path: string, body: object): Promise<T> {
  const answer = await fetch(url + path, {
    method: 'POST',
    headers: { authorization: `App ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`)
  return (await answer.json()) as T
}

// Once per product: an application holds the limits, a template the words. Keep their ids in your settings.
const { applicationId } = await post<{ applicationId: string }>('/2fa/2/applications', {
  name: 'send-a-pin example',
  configuration: { pinAttempts: 5, pinTimeToLive: '10m', sendPinPerPhoneNumberLimit: '3/1d' },
})
const { messageId } = await post<{ messageId: string }>(`/2fa/2/applications/${applicationId}/messages`, {
  pinType: 'NUMERIC',
  pinLength: 6,
  messageText: 'Hello {{firstName}}, your code is {{pin}}.',
  senderId: 'Example',
})

// Once per sign-up. The pinId is all that your program keeps: the code is never in an answer.
const sent = await post<{ pinId: string; smsStatus: string }>('/2fa/2/pin', {
  applicationId,
  messageId,
  to,
  placeholders: { firstName: 'Ada' },
})
console.log(`${sent.smsStatus} to +${to}; pinId ${sent.pinId}`)
console.log(`In the sandbox, the phone's inbox is ${url}/sandbox/pins?to=${to}`)

const terminal = createInterface({ input: process.stdin, output: process.stdout })
const pin = (await terminal.question('The code that arrived: ')).trim()
terminal.close()
type Verified = { verified: boolean; attemptsRemaining: number; pinError?: string }
const answer = await post<Verified>(`/2fa/2/pin/${sent.pinId}/verify`, { pin })
console.log(
  answer.verified ? 'Verified: the number is theirs.' : `${answer.pinError}, ${answer.attemptsRemaining} tries left.`,
)
