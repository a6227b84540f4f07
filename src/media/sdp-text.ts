import { isIP } from 'node:net'

/**
 * The text of RFC 8866, as far as one audio stream needs it. Every line must be `x=…`; the values that are used are
 * checked to the letter, the ones that are not (bandwidth, keys, unknown attributes) are passed over as §5 asks.
 * A missing `s=` or `t=` is let pass: gateways forget them, and no call is better for our refusing.
 */
export type SdpFormat = { payloadType: number; encoding: string; clockHz: number }
export type SdpDirection = 'sendrecv' | 'sendonly' | 'recvonly' | 'inactive'

export type SdpMedia = {
  /** The `m=` line's first word. */
  kind: string
  port: number
  protocol: string
  /** The format list as written: a rejected stream is echoed with it. */
  formatList: string
  /** Formats with a known encoding, in the sender's order of preference. */
  formats: SdpFormat[]
  host: string | undefined
  direction: SdpDirection
  ptimeMs: number | undefined
  maxPtimeMs: number | undefined
}

export type SdpSession = { timing: string; media: SdpMedia[] }

export class SdpSyntaxError extends Error {
  override readonly name = 'SdpSyntaxError'
}

const MAX_BYTES = 16 * 1024
const MAX_MEDIA = 16
/** RFC 3551 §6: payload types that need no rtpmap. */
const STATIC_FORMATS = new Map([
  [0, { encoding: 'PCMU', clockHz: 8000 }],
  [8, { encoding: 'PCMA', clockHz: 8000 }],
])
const DIRECTIONS: readonly string[] = ['sendrecv', 'sendonly', 'recvonly', 'inactive'] satisfies SdpDirection[]

type Section = { host?: string; direction?: SdpDirection }
type MediaSection = Section & {
  line: { kind: string; port: number; protocol: string; formatList: string }
  maps: Map<number, { encoding: string; clockHz: number }>
  ptimeMs?: number
  maxPtimeMs?: number
}

/** Throws `SdpSyntaxError` for what is not SDP; the verbs of `sdp.ts` turn it into a refusal. */
export function parseSdp(bytes: Uint8Array): SdpSession {
  if (bytes.length > MAX_BYTES) throw new SdpSyntaxError(`longer than ${MAX_BYTES} bytes`)
  const lines = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    .toString('utf8')
    .split(/\r\n|\n/)
  while (lines.at(-1) === '') lines.pop()
  if (lines[0] !== 'v=0') throw new SdpSyntaxError('the first line is not v=0')

  const session: Section = {}
  const media: MediaSection[] = []
  let timing = '0 0'
  let originSeen = false
  for (const line of lines.slice(1)) {
    if (!/^[a-z]=[^\0\r]*$/.test(line)) throw new SdpSyntaxError('a line is not <letter>=<value>')
    const value = line.slice(2)
    const current = media.at(-1)
    if (line[0] === 'm') media.push(mediaSection(value, media.length))
    else if (line[0] === 'c') (current ?? session).host = connectionHost(value)
    else if (line[0] === 'a') readAttribute(value, session, current)
    else if (line[0] === 'o' && !current) originSeen = checkOrigin(value)
    else if (line[0] === 't' && !current) timing = value
  }
  if (!originSeen) throw new SdpSyntaxError('there is no o= line')
  return { timing, media: media.map((section) => finished(section, session)) }
}

function mediaSection(value: string, before: number): MediaSection {
  if (before >= MAX_MEDIA) throw new SdpSyntaxError(`more than ${MAX_MEDIA} m= lines`)
  const parts = /^([!-.0-~]+) (\d{1,5})(?:\/\d{1,5})? ([!-~]+) ([!-~]+(?: [!-~]+)*) *$/.exec(value)
  if (!parts) throw new SdpSyntaxError('an m= line is not <media> <port> <proto> <fmt> …')
  const [, kind, port, protocol, formatList] = parts
  if (Number(port) > 65535) throw new SdpSyntaxError('the port is over 65535')
  return {
    line: { kind: kind!, port: Number(port), protocol: protocol!, formatList: formatList! },
    maps: new Map(),
  }
}

function connectionHost(value: string): string {
  const parts = /^IN (IP4|IP6) ([^ /]+)(?:\/\d+){0,2} *$/.exec(value)
  if (!parts) throw new SdpSyntaxError('a c= line is not IN IP4|IP6 <address>')
  if (isIP(parts[2]!) !== (parts[1] === 'IP4' ? 4 : 6)) {
    throw new SdpSyntaxError('the connection address is not an IP address of its kind')
  }
  return parts[2]!
}

/** §5.2: user, session id, session version, network type, address type, address. */
function checkOrigin(value: string): true {
  if (!/^[^ ]+ \d+ \d+ IN IP[46] [^ ]+ *$/.test(value)) throw new SdpSyntaxError('the o= line has not its six fields')
  return true
}

function readAttribute(text: string, session: Section, media: MediaSection | undefined): void {
  const colon = text.indexOf(':')
  const name = colon === -1 ? text : text.slice(0, colon)
  const value = colon === -1 ? '' : text.slice(colon + 1).trim()
  const direction = name.trim()
  if (isDirection(direction)) (media ?? session).direction = direction
  else if (media && name === 'rtpmap') readRtpmap(value, media)
  else if (media && name === 'ptime') media.ptimeMs = milliseconds(value)
  else if (media && name === 'maxptime') media.maxPtimeMs = milliseconds(value)
}

const isDirection = (text: string): text is SdpDirection => DIRECTIONS.includes(text)

/** §6.6: `<payload type> <encoding>/<clock rate>[/<channels>]`. Two channels of G.711 are not G.711 to us. */
function readRtpmap(value: string, media: MediaSection): void {
  const parts = /^(\d{1,3}) +([!-.0-~]+)\/(\d{1,6})(?:\/([!-~]+))?$/.exec(value)
  if (!parts || Number(parts[1]) > 127) throw new SdpSyntaxError('an rtpmap is not <payload type> <encoding>/<rate>')
  const channels = parts[4] ?? '1'
  const encoding = channels === '1' ? parts[2]!.toUpperCase() : `${parts[2]!.toUpperCase()}/${channels}`
  media.maps.set(Number(parts[1]), { encoding, clockHz: Number(parts[3]) })
}

/** Fractions are allowed (§6.4); what is not a time is as good as absent. */
function milliseconds(value: string): number | undefined {
  const ms = /^\d{1,5}(\.\d{1,6})?$/.test(value) ? Number(value) : 0
  return ms > 0 ? ms : undefined
}

function finished(section: MediaSection, session: Section): SdpMedia {
  const host = section.host ?? session.host
  if (section.line.port !== 0 && host === undefined) throw new SdpSyntaxError('a stream has no c= line')
  return {
    ...section.line,
    formats: section.line.protocol.startsWith('RTP/') ? formatsOf(section) : [],
    host,
    direction: section.direction ?? session.direction ?? 'sendrecv',
    ptimeMs: section.ptimeMs,
    maxPtimeMs: section.maxPtimeMs,
  }
}

function formatsOf(section: MediaSection): SdpFormat[] {
  const formats: SdpFormat[] = []
  for (const word of section.line.formatList.split(' ')) {
    if (!/^\d{1,3}$/.test(word) || Number(word) > 127) throw new SdpSyntaxError('a payload type is not 0–127')
    const payloadType = Number(word)
    const map = section.maps.get(payloadType) ?? STATIC_FORMATS.get(payloadType)
    if (map) formats.push({ payloadType, ...map })
  }
  return formats
}
