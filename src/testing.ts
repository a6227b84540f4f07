/** For tests of sign-ups, in CI or on a laptop: `import { waitForPin } from 'pincall/testing'` against a sandbox. */

export type WaitForPin = {
  /** Where the sandbox answers. Default PINCALL_URL, else http://127.0.0.1:8020. */
  url?: string
  /** Only codes that came this way. */
  channel?: 'voice' | 'sms'
  /** Only codes that came after this moment (ISO 8601): pass the time before you asked for one. */
  after?: string
  /** How long to wait at most; default 60. */
  timeoutS?: number
}

export type ArrivedPin = { channel: 'voice' | 'sms'; to: string; code: string; at: string }

/** One request to the sandbox holds for so long at most. */
const HOLD_S = 20

/**
 * The newest code that a sandbox phone got, as its owner read it in a text or heard it in a call; waits for it where there
 * is none yet. Rejects with one sentence where none comes in time or the sandbox can not be asked.
 */
export async function waitForPin(to: string, options: WaitForPin = {}): Promise<ArrivedPin> {
  const { url = process.env.PINCALL_URL ?? 'http://127.0.0.1:8020', channel, after, timeoutS = 60 } = options
  for (let left = timeoutS; ; left -= HOLD_S) {
    const query = new URLSearchParams({ to, wait: String(Math.max(0, Math.min(left, HOLD_S))) })
    if (channel) query.set('channel', channel)
    if (after) query.set('after', after)
    const response = await fetch(`${url}/sandbox/pins?${query}`).catch((error) => {
      throw new Error(
        `No Pincall answers at ${url} (${error.cause?.code ?? error.message}): start it, or set PINCALL_URL.`,
      )
    })
    if (!response.ok) throw new Error(`The sandbox at ${url} refused (${response.status}): ${await response.text()}`)
    const [newest] = (await response.json()) as ArrivedPin[]
    if (newest) return newest
    if (left <= HOLD_S) throw new Error(`No code came to ${to} in ${timeoutS} s: ${url}/sandbox/ shows what did.`)
  }
}
