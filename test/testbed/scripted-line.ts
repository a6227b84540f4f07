import { ManualClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import type { MediaEngine, MediaHandlers, MediaSession } from '../../src/media/index.ts'
import { seededRandom } from '../../src/random.ts'
import type { CallFailure, CallHandlers, InviteRequest, SipEndpoint } from '../../src/sip/index.ts'
import type { CallOrder, VoiceDeps } from '../../src/voice/index.ts'

/** One call's far end under a test's control: the test says what the phone does, and sees what it was sent. */
export type ScriptedLine = {
  deps: VoiceDeps
  clock: ManualClock
  order(change?: Partial<CallOrder>): CallOrder
  /** What was played so far, by name of the prompt. */
  played: string[]
  /** What the far end does. */
  sip(): CallHandlers
  sound(): MediaHandlers
  invite(): InviteRequest
  answer(): void
  fail(failure: Partial<CallFailure>): void
  /** The playing sound goes out to its end. */
  finishPlaying(): void
  hungUp: boolean
  mediaClosed: boolean
}

const SOUNDS = ['greeting', 'reading', 'repetition', 'offerKey', 'goodbye'] as const

export function scriptLine(): ScriptedLine {
  const clock = new ManualClock()
  let handlers: CallHandlers | undefined
  let request: InviteRequest | undefined
  let sound: MediaHandlers | undefined
  const queue: { id: number; ms: number }[] = []
  let ids = 0
  let answered = false
  let failed = false
  const second = () => new Int16Array(8000)
  const prompts: CallOrder['prompts'] = {
    greeting: second(),
    reading: second(),
    repetition: second(),
    offerKey: second(),
    goodbye: second(),
  }

  const session: MediaSession = {
    local: { host: '127.0.0.1', port: 10000 },
    connect() {},
    play(pcm) {
      const name = SOUNDS.find((each) => prompts[each] === pcm)
      if (name) line.played.push(name)
      queue.push({ id: ++ids, ms: pcm.length / 8 })
      return ids
    },
    stop() {
      for (const { id } of queue.splice(0)) sound?.onPlayed?.({ id, complete: false })
    },
    sendDtmf() {},
    recording: async () => new Int16Array(0),
    async close() {
      line.mediaClosed = true
      return {
        packetsSent: 1,
        packetsReceived: 1,
        packetsLost: 0,
        jitterMs: 0,
        lateOver1Ms: 0,
        lateOver5Ms: 0,
        malformed: 0,
      }
    },
  }
  const media: MediaEngine = {
    async open(options) {
      sound = options.handlers
      return session
    },
    sessions: 0,
    loopDelayMs: 0,
    async close() {},
  }
  const sip: Pick<SipEndpoint, 'invite'> = {
    invite(asked, theirs) {
      request = asked
      handlers = theirs
      return {
        callId: 'test',
        hangUp() {
          if (line.hungUp || failed) return
          line.hungUp = true
          if (answered) theirs.onEnd?.({ by: 'us' })
          else theirs.onFailure?.({ status: 487, reason: 'Request Terminated', rang: false, local: 'cancelled' })
        },
      }
    },
  }
  const line: ScriptedLine = {
    clock,
    deps: {
      sip: sip as SipEndpoint,
      media,
      mediaHost: '127.0.0.1',
      advertisedHost: '127.0.0.1',
      clock,
      random: seededRandom('line'),
      log: silentLog,
    },
    order: (change = {}) => ({
      uri: 'sip:+41793026727@127.0.0.1',
      target: { host: '127.0.0.1', port: 5060 },
      from: { uri: 'sip:pincall@127.0.0.1' },
      codecs: ['PCMU'],
      ringTimeoutMs: 45_000,
      noResponseMs: 4000,
      prompts,
      proof: 'detect',
      proofKey: '7',
      replayKeys: '1#',
      longestMs: 60_000,
      ...change,
    }),
    played: [],
    sip: () => handlers!,
    sound: () => sound!,
    invite: () => request!,
    answer() {
      answered = true
      const answer = `v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n`
      handlers!.onAnswer?.({ body: Buffer.from(answer), diverted: false })
    },
    fail(failure) {
      failed = true
      handlers!.onFailure?.({ status: 486, reason: 'Busy Here', rang: false, ...failure })
    },
    finishPlaying() {
      const next = queue.shift()
      if (next) sound!.onPlayed?.({ id: next.id, complete: true })
    },
    hungUp: false,
    mediaClosed: false,
  }
  return line
}
