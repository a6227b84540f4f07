import type { Clock, Timer } from '../clock.ts'
import type { Log } from '../log.ts'
import { answerOffer, type Codec, type MediaEngine, type MediaSession } from '../media/index.ts'
import type { Random } from '../random.ts'
import type { IncomingCall } from '../sip/index.ts'
import { Ear } from './ear.ts'
import type { Handset, Script } from './handsets.ts'
import type { Hearing, Understood } from './hearing.ts'
import type { Memory } from './memory.ts'
import type { ArrivedCall } from './types.ts'
import { beep, pause, type Voices } from './voices.ts'

export type HandsetDeps = {
  clock: Clock
  random: Random
  log: Log
  host: string
  ringMs: number
  media: MediaEngine
  memory: Memory
  hearing: Hearing
  voices: Voices
}

/** From the receiver at the ear to the first word. */
const HELLO_AFTER_MS = 300
const BEEP_AFTER_MS = 400
/** A call that its caller forgets ends here; those of Pincall end after 60 s. */
const LONGEST_MS = 75_000
/** Timer C of a proxy, RFC 3261 §16.6: nobody rings for ever. */
const LONGEST_RING_MS = 180_000
/** A person gives up after this. */
const MOST_KEYS = 3
const CODECS: readonly Codec[] = ['PCMU', 'PCMA']

/** One call to a sandbox handset, as its script has it, from INVITE to the last word understood. */
export class HandsetCall {
  readonly record: ArrivedCall
  readonly #deps: HandsetDeps
  readonly #call: IncomingCall
  readonly #script: Script
  readonly #timers: Timer[] = []
  readonly #ended = Promise.withResolvers<void>()
  #media: MediaSession | undefined
  #ear: Ear | undefined
  #over = false

  constructor(deps: HandsetDeps, call: IncomingCall, handset: Handset, record: ArrivedCall) {
    this.#deps = deps
    this.#call = call
    this.#script = handset.script
    this.record = record
    call.handlers.onCancel = () => this.#end('caller', 487)
    call.handlers.onEnd = ({ by }) => this.#end(by === 'them' ? 'caller' : by === 'us' ? 'handset' : 'lost')
  }

  /** Resolves when nothing of the call is open any more. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  begin(): void {
    const script = this.#script
    if (script.kind === 'refuses') {
      const refuse = () => this.#refuse(script.status, script.reason, script.headers)
      if (script.rings) this.#ring(refuse)
      else refuse()
    } else if (script.kind === 'rings') {
      this.#ring(() => {})
      this.#after(LONGEST_RING_MS, () => this.#refuse(480, 'Temporarily Unavailable'))
    } else {
      this.#ring(() => this.#guarded(this.#answer(script)))
    }
  }

  /** Resolves when whoever holds the handset has finished listening to what is being said. */
  settled(): Promise<void> {
    return this.#ear?.settled() ?? Promise.resolve()
  }

  hangUp(): void {
    if (!this.#over) this.#call.hangUp()
    this.#end('handset')
  }

  #ring(then: () => void): void {
    this.#call.progress(180, 'Ringing')
    this.#changed({ ringingAt: this.#deps.clock.now() })
    this.#after(this.#deps.ringMs, then)
  }

  #refuse(status: number, reason: string, headers?: readonly (readonly [string, string])[]): void {
    this.#call.reject(status, reason, headers)
    this.#end('handset', status)
  }

  async #answer(script: Extract<Script, { kind: 'answers' }>): Promise<void> {
    const { clock, hearing, media: engine, host, random } = this.#deps
    const media = await engine.open({
      host,
      recordMs: LONGEST_MS,
      inactivityMs: LONGEST_MS,
      handlers: { onVoice: ({ speaking }) => this.#ear?.voice(speaking) },
    })
    if (this.#over) return void (await media.close())
    const session = { sessionId: random.int(2 ** 31), sessionVersion: 1 }
    const answerTo = (offer: Uint8Array) => answerOffer(offer, { local: media.local, codecs: CODECS, ...session })
    const agreed = answerTo(this.#call.body)
    if ('refused' in agreed) {
      await media.close()
      return this.#refuse(488, 'Not Acceptable Here')
    }
    this.#media = media
    this.#ear = new Ear({
      clock,
      recording: () => media.recording(),
      understand: (sound) => hearing.listen(sound, script.pressesKeys === true && !this.#over),
      onUnderstood: (understood) => this.#understood(understood),
    })
    this.#call.handlers.onOffer = (body) => {
      session.sessionVersion++
      const changed = answerTo(body)
      if ('refused' in changed) return undefined
      media.connect(changed.audio)
      return changed.answer
    }
    void hearing.prepare() // while the caller greets
    this.#call.answer(agreed.answer)
    media.connect(agreed.audio)
    this.#changed({ answeredAt: clock.now(), status: 200 })
    this.#after(script.hangsUpAfterMs ?? LONGEST_MS, () => this.hangUp())
    await this.#speak(script, media)
  }

  async #speak({ says, beeps }: Extract<Script, { kind: 'answers' }>, media: MediaSession): Promise<void> {
    if (!says) return
    const words = await this.#deps.voices.say(says)
    media.play(pause(HELLO_AFTER_MS))
    media.play(words)
    if (!beeps) return
    media.play(pause(BEEP_AFTER_MS))
    media.play(beep())
  }

  #understood({ code, confidence, key }: Understood): void {
    const { record } = this
    if (code !== undefined && code !== record.code) {
      const { clock } = this.#deps
      this.#changed({ code, ...(confidence !== undefined && { confidence }), heardAt: record.heardAt ?? clock.now() })
    } else if (key !== undefined && !this.#over && record.code === undefined && record.keys.length < MOST_KEYS) {
      this.#media?.sendDtmf(key)
      this.#changed({ keys: record.keys + key })
    }
  }

  #end(by: NonNullable<ArrivedCall['endedBy']>, status?: number): void {
    if (this.#over) return
    this.#over = true
    for (const timer of this.#timers) timer.cancel()
    this.#changed({ endedAt: this.#deps.clock.now(), endedBy: by, ...(status !== undefined && { status }) })
    this.#guarded(this.#putDown().finally(() => this.#ended.resolve()))
  }

  /** Keeps what was received, then thinks about it once more. */
  async #putDown(): Promise<void> {
    const media = this.#media
    if (!media) return
    const recording = await media.recording()
    await media.close()
    this.#deps.memory.keepAudio(this.record, recording)
    await this.#ear?.finish(recording)
  }

  #changed(change: Partial<ArrivedCall>): void {
    Object.assign(this.record, change)
    this.#deps.memory.changed()
  }

  #after(ms: number, run: () => void): void {
    this.#timers.push(this.#deps.clock.after(ms, run))
  }

  #guarded(story: Promise<void>): void {
    story.catch((error) => {
      this.#deps.log.error({ err: error, callId: this.record.callId }, 'a sandbox handset failed')
      this.hangUp()
    })
  }
}
