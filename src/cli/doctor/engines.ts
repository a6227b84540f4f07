import { systemClock } from '../../clock.ts'
import { silentLog } from '../../log.ts'
import { systemRandom } from '../../random.ts'
import { openSipEndpoint } from '../../sip/index.ts'
import { openSpeech } from '../../speech/index.ts'
import { type Finding, fail, ok, type Patient, warn } from './types.ts'

const PING_MS = 3000
/** Half a second of sound at 8 kHz is the least that a spoken word takes; silence or a click would be less. */
const LEAST_SAMPLES = 1600

/** A word comes out of the engine that calls are spoken with. */
export async function checkSpeech(): Promise<Finding[]> {
  const todo =
    'Install the packages again (npm ci); if it stays, run the server with PINCALL_LOG_LEVEL=debug and read why.'
  const begun = systemClock.monotonic()
  try {
    const speech = await openSpeech({ log: silentLog, clock: systemClock })
    try {
      const sound = await speech.say({ language: 'en' }, 'Hello.')
      if (sound.length < LEAST_SAMPLES || !sound.some((sample) => Math.abs(sample) > 500)) {
        return [fail('speech', 'the engine answered without a sound', todo)]
      }
      const took = ((systemClock.monotonic() - begun) / 1000).toFixed(1)
      return [ok('speech', `a word was spoken, ${took} s after the engine was started`)]
    } finally {
      await speech.close()
    }
  } catch (error) {
    return [fail('speech', `no word could be spoken: ${(error as Error).message}`, todo)]
  }
}

/** Each configured carrier answers OPTIONS, from the port that calls would leave from where that is free. */
export async function checkTrunks(
  { settings, running }: Patient,
  _clock?: unknown,
  timeoutMs = PING_MS,
): Promise<Finding[]> {
  if (settings.trunks.length === 0) {
    return [settings.sandbox.on ? ok('trunks', 'none: the sandbox takes all calls') : noTrunks]
  }
  const bind = { host: settings.sip.host, port: running ? 0 : settings.sip.port }
  const { advertisedHost } = settings.sip
  const tools = { userAgent: 'Pincall doctor', clock: systemClock, random: systemRandom, log: silentLog }
  const sip = await openSipEndpoint({ bind, advertisedHost, ...tools, allowedPeers: () => settings.trunks })
  try {
    return await Promise.all(
      settings.trunks.map(async ({ name, host, port }) => {
        const { status, rttMs } = await sip.ping({ host, port }, { timeoutMs })
        return trunkFinding(`trunk ${name}`, `${host}:${port}`, status, rttMs)
      }),
    )
  } finally {
    await sip.close()
  }
}

const noTrunks = warn(
  'trunks',
  'none, and the sandbox is off: no call can leave',
  'Add trunks and routes to the file that PINCALL_CONFIG names, or set PINCALL_SANDBOX=on.',
)

/** Any final answer but 408 and 503 is a sign of life, also a refusal of the method. */
function trunkFinding(check: string, at: string, status: number, rttMs: number): Finding {
  if (status === 408) {
    const todo =
      'See that host and port are right, that firewalls let UDP pass both ways, and that the carrier knows our address.'
    return fail(check, `${at} does not answer OPTIONS`, todo)
  }
  if (status === 503)
    return fail(
      check,
      `${at} says it is out of service (503)`,
      'Ask the carrier; calls go to the other trunks of a route.',
    )
  if (status === 403)
    return warn(check, `${at} answers, but refuses us (403)`, 'Ask the carrier to allow the address of this machine.')
  return ok(check, `${at} answers OPTIONS with ${status} in ${Math.round(rttMs)} ms`)
}
