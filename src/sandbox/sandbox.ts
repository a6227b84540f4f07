import { invalid, PincallError } from '../errors.ts'
import { openMediaEngine, wavOf } from '../media/index.ts'
import { parseMsisdn, redactMsisdn } from '../msisdn.ts'
import { type IncomingCall, openSipEndpoint } from '../sip/index.ts'
import { codeIn } from './code-in-text.ts'
import { HandsetCall } from './handset-call.ts'
import { handsetFor, hasSpeechFault } from './handsets.ts'
import { Hearing } from './hearing.ts'
import { Memory } from './memory.ts'
import type { ArrivedCall, Sandbox, SandboxOptions } from './types.ts'
import { Voices } from './voices.ts'

const TRUNKS = ['sandbox-a', 'sandbox-b']
const RING_MS = 500
const WAIT_FOR_PIN_MS = 30_000

/** Opens the phone in a box: a carrier on loopback whose numbers all have a handset, and an inbox for text messages. */
export async function openSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clock, random, log, speech, host } = options
  const memory = new Memory(clock)
  const hearing = new Hearing({ log, speech, languagesSpoken: options.languagesSpoken ?? (() => []) })
  const voices = new Voices(speech, log)
  await using opened = new AsyncDisposableStack() // what is open when the rest does not start
  opened.defer(() => hearing.close())
  const media = await openMediaEngine({ log })
  opened.defer(() => media.close())
  const deps = { clock, random, log, host, ringMs: options.ringMs ?? RING_MS, media, memory, hearing, voices }
  const open = new Set<HandsetCall>()
  let closing = false

  const take = (trunk: string, call: IncomingCall): void => {
    const number = parseMsisdn(call.dialled)
    if (closing) return call.reject(503, 'Service Unavailable')
    if (!number) return call.reject(484, 'Address Incomplete')
    const handset = handsetFor(number.msisdn)
    const record: ArrivedCall = {
      callId: random.hex(8),
      to: number.msisdn,
      from: callerOf(call.from),
      trunk,
      handset: handset.name,
      startedAt: clock.now(),
      keys: '',
    }
    memory.addCall(record)
    const handsetCall = new HandsetCall(deps, call, handset, record)
    open.add(handsetCall)
    handsetCall.ended.then(() => open.delete(handsetCall))
    handsetCall.begin()
  }

  const trunks: { name: string; host: string; port: number }[] = []
  for (const name of TRUNKS) {
    const endpoint = await openSipEndpoint({
      bind: { host, port: 0 },
      userAgent: 'Pincall-Sandbox',
      clock,
      random,
      log,
    })
    opened.defer(() => endpoint.close())
    endpoint.onInvite((call) => take(name, call))
    trunks.push({ name, ...endpoint.address })
  }
  void voices.warm().then(() => hearing.prepare()) // so that the first call need not share the machine with it

  const resources = opened.move()
  return {
    trunks,
    receiveSms({ to, from, text }) {
      const code = codeIn(text)
      const message = { messageId: random.hex(8), to: msisdnOf(to), from, text, at: clock.now() }
      memory.addMessage({ ...message, ...(code !== undefined && { code }) })
    },
    pins: (to, query) => memory.pins(msisdnOf(to), query),
    calls: (to) => memory.calls(to === undefined ? undefined : msisdnOf(to)),
    messages: (to) => memory.messages(to === undefined ? undefined : msisdnOf(to)),
    audio(callId) {
      const sound = memory.audio(callId)
      return sound && wavOf(sound)
    },
    async settled(to, timeoutMs) {
      const number = msisdnOf(to)
      const listening = [...open].filter((call) => call.record.to === number).map((call) => call.settled())
      if (listening.length === 0) return
      const { promise: late, resolve } = Promise.withResolvers<void>()
      const timer = clock.after(timeoutMs, resolve)
      await Promise.race([Promise.all(listening), late])
      timer.cancel()
    },
    async waitForPin(to, { timeoutMs = WAIT_FOR_PIN_MS, signal, ...query } = {}) {
      const number = msisdnOf(to)
      const pin = await memory.when(() => memory.pins(number, query)[0], timeoutMs, signal)
      if (!pin) throw new PincallError('not_found', `No code came to ${redactMsisdn(number)} within ${timeoutMs} ms.`)
      return pin
    },
    get changes() {
      return memory.changes
    },
    async whenChanged(seen, timeoutMs, signal) {
      const grown = () => (memory.changes === seen ? undefined : memory.changes)
      return (await memory.when(grown, timeoutMs, signal)) ?? memory.changes
    },
    speechFault: (to) => hasSpeechFault(msisdnOf(to)),
    async close() {
      closing = true
      voices.close()
      const ending = [...open].map((call) => call.ended)
      for (const call of open) call.hangUp()
      await hearing.close() // what was not understood by now is not worth waiting for
      await Promise.all(ending)
      await resources.disposeAsync()
    },
  }
}

/** `"Pincall" <sip:447700900123@127.0.0.1>;tag=1` → `447700900123`. */
function callerOf(from: string): string {
  return /sips?:\+?([^@;>]*)@/i.exec(from)?.[1] ?? 'anonymous'
}

function msisdnOf(to: string): string {
  const number = parseMsisdn(to)
  if (!number) throw invalid('to', 'must be a telephone number in international form')
  return number.msisdn
}
