import {
  answerOffer,
  type MediaHandlers,
  type MediaSession,
  makeOffer,
  readAnswer,
  type Verdict,
} from '../media/index.ts'
import type { CallFailure, OutgoingCall } from '../sip/index.ts'
import { Mailbox } from './mailbox.ts'
import type { CallEvidence, CallHooks, CallOrder, VoiceDeps } from './types.ts'

/** What happens on a line, in order, as the story reads it. */
export type Fact =
  | { kind: 'answered' }
  | { kind: 'failed'; failure: CallFailure }
  | { kind: 'no_common_codec' }
  | { kind: 'verdict'; verdict: Verdict }
  | { kind: 'beep' }
  | { kind: 'key'; digit: string }
  | { kind: 'played'; id: number; complete: boolean }
  | { kind: 'silent_line' } // no packet for a long time
  | { kind: 'ended' }
  | { kind: 'told_to_stop' }

/** One dialled call with its sound: SIP and media introduced to each other, their events made into one row of facts. */
export type Line = {
  facts: Mailbox<Fact>
  media: MediaSession
  evidence: CallEvidence
  /** Whether any packet of theirs came. */
  heardAnything(): boolean
  hangUp(): void
  close(): Promise<void>
}

export async function openLine(deps: VoiceDeps, order: CallOrder, hooks: CallHooks): Promise<Line> {
  const facts = new Mailbox<Fact>(deps.clock)
  const evidence: CallEvidence = { rang: false, readings: 0 }
  let started = false
  const media = await deps.media.open({
    host: deps.mediaHost,
    detect: order.proof === 'detect',
    handlers: mediaFacts(facts, evidence, () => {
      started = true
    }),
  })
  const local = { host: deps.advertisedHost, port: media.local.port }
  const session = { sessionId: String(deps.random.int(2 ** 31)), sessionVersion: 1 }
  const offer = makeOffer({ local, codecs: [...order.codecs], ptimeMs: 20, ...session })
  const begun = deps.clock.monotonic()
  const since = () => Math.round(deps.clock.monotonic() - begun)
  let answeredAt: number | undefined

  hooks.onStep?.('dialling')
  const call: OutgoingCall = deps.sip.invite(
    {
      uri: order.uri,
      target: order.target,
      from: order.from,
      body: offer,
      noResponseMs: order.noResponseMs,
      ringTimeoutMs: order.ringTimeoutMs,
      ...(order.credentials && { credentials: order.credentials }),
    },
    {
      onProgress({ status, diverted }) {
        if (diverted) evidence.diverted = true
        if ((status === 180 || status === 183) && !evidence.rang) {
          evidence.rang = true
          evidence.ringMs = since()
          hooks.onStep?.('ringing')
        }
      },
      onAnswer({ body, diverted }) {
        if (diverted) evidence.diverted = true
        answeredAt = since()
        evidence.answerMs = answeredAt
        evidence.sipStatus = 200
        const audio = readAnswer(offer, body)
        if ('refused' in audio) {
          evidence.sipReason = `no usable answer: ${audio.detail}`
          facts.put({ kind: 'no_common_codec' })
          return
        }
        media.connect(audio)
        hooks.onStep?.('answered')
        facts.put({ kind: 'answered' })
      },
      onFailure(failure) {
        evidence.sipStatus = failure.status
        evidence.sipReason = failure.reason
        if (failure.q850 !== undefined) evidence.q850 = failure.q850
        if (failure.local) evidence.local = failure.local
        if (failure.rang) evidence.rang = true
        facts.put({ kind: 'failed', failure })
      },
      onEnd({ by, q850 }) {
        evidence.endedBy = by
        if (q850 !== undefined) evidence.q850 = q850
        if (answeredAt !== undefined) evidence.talkMs = since() - answeredAt
        facts.put({ kind: 'ended' })
      },
      onOffer(body) {
        session.sessionVersion++
        const answered = body.length
          ? answerOffer(body, { local, codecs: [...order.codecs], ...session })
          : { answer: makeOffer({ local, codecs: [...order.codecs], ptimeMs: 20, ...session }), audio: undefined }
        if ('refused' in answered) return undefined
        if (answered.audio) media.connect(answered.audio)
        return answered.answer
      },
      onInfo({ contentType, body }) {
        const digit = /^Signal\s*=\s*([0-9*#A-D])/im.exec(Buffer.from(body).toString('latin1'))?.[1]
        if (contentType.toLowerCase().startsWith('application/dtmf-relay') && digit) pressed(facts, evidence, digit)
      },
    },
  )
  const stop = () => facts.put({ kind: 'told_to_stop' })
  hooks.signal?.addEventListener('abort', stop, { once: true })
  if (hooks.signal?.aborted) stop()

  return {
    facts,
    media,
    evidence,
    heardAnything: () => started,
    hangUp: () => call.hangUp(),
    async close() {
      hooks.signal?.removeEventListener('abort', stop)
      call.hangUp()
      evidence.media = await media.close()
      if (answeredAt !== undefined) evidence.talkMs ??= since() - answeredAt
    },
  }
}

/** Keeps the first 32 keys pressed as evidence: enough to see a robot, bounded against one. */
function pressed(facts: Mailbox<Fact>, evidence: CallEvidence, digit: string): void {
  if ((evidence.keys?.length ?? 0) < 32) evidence.keys = (evidence.keys ?? '') + digit
  facts.put({ kind: 'key', digit })
}

function mediaFacts(facts: Mailbox<Fact>, evidence: CallEvidence, onStarted: () => void): MediaHandlers {
  return {
    onStarted,
    onVerdict(verdict) {
      evidence.verdict = verdict.verdict
      evidence.verdictWhy = verdict.why
      evidence.verdictMs = Math.round(verdict.atMs)
      evidence.verdictConfidence = verdict.confidence
      facts.put({ kind: 'verdict', verdict })
    },
    onBeep: () => facts.put({ kind: 'beep' }),
    onDtmf: ({ digit }) => pressed(facts, evidence, digit),
    onInactive: () => facts.put({ kind: 'silent_line' }),
    onPlayed: ({ id, complete }) => facts.put({ kind: 'played', id, complete }),
  }
}
