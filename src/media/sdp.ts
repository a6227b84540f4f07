import { isIPv6 } from 'node:net'
import { parseSdp, type SdpDirection, type SdpFormat, type SdpMedia, SdpSyntaxError } from './sdp-text.ts'
import type { Codec, MediaAddress, NegotiatedAudio, SdpRefusal } from './types.ts'

/** Offer and answer (RFC 3264) over one audio stream of G.711 with telephone-events. */

type SessionNumber = number | bigint | string

export type OfferOptions = {
  local: MediaAddress
  /** In order of preference. */
  codecs: readonly Codec[]
  ptimeMs: 10 | 20 | 30
  /** Digits; the same for the whole call, `sessionVersion` one higher with each changed description (RFC 8866 §5.2). */
  sessionId: SessionNumber
  sessionVersion: SessionNumber
}

export type AnswerOptions = Omit<OfferOptions, 'ptimeMs'>

const STATIC_PAYLOAD_TYPE: Record<Codec, number> = { PCMU: 0, PCMA: 8 }
const DTMF_PAYLOAD_TYPE = 101
const TELEPHONE_EVENT = 'TELEPHONE-EVENT'
/** RFC 3264 §6.1: what the other side only sends, we only receive. */
const MIRRORED: Record<SdpDirection, SdpDirection> = {
  sendrecv: 'sendrecv',
  sendonly: 'recvonly',
  recvonly: 'sendonly',
  inactive: 'inactive',
}

export function makeOffer(options: OfferOptions): Uint8Array {
  const formats = options.codecs.map((codec) => ({ payloadType: STATIC_PAYLOAD_TYPE[codec], codec }))
  const stream = audioLines({
    port: options.local.port,
    formats,
    dtmfPayloadType: DTMF_PAYLOAD_TYPE,
    ptimeMs: options.ptimeMs,
    direction: 'sendrecv',
  })
  return description(options, '0 0', stream)
}

/** What our offer and its answer agreed on. The payload type we send with is the answer's (RFC 3264 §6.1). */
export function readAnswer(offer: Uint8Array, answer: Uint8Array): NegotiatedAudio | SdpRefusal {
  return refusingGarbage(() => {
    const offered = parseSdp(offer).media[0]
    if (!offered) return refusal('malformed', 'our own offer has no m= line')
    const answered = parseSdp(answer).media
    if (answered.length > 1) return refusal('malformed', 'the answer has more m= lines than the offer (RFC 3264 §6)')
    const media = answered[0]
    if (!media || !isAudio(media)) return refusal('no_audio', 'the answer has no RTP/AVP audio stream')
    if (media.port === 0) return refusal('rejected', 'the answer rejects the stream with port 0')
    const codecs = offered.formats.filter(isG711).map((format) => format.encoding)
    const agreed = media.formats.filter(isG711).find((format) => codecs.includes(format.encoding))
    if (!agreed) return refusal('no_common_codec', `answered ${listed(media)}, offered ${codecs.join(' ')}`)
    return negotiated(media, agreed, eventFormat(offered), offered.ptimeMs)
  })
}

/** Answers an offer: the first of its payload types that we speak, its other streams rejected with port 0. */
export function answerOffer(
  offer: Uint8Array,
  options: AnswerOptions,
): { answer: Uint8Array; audio: NegotiatedAudio } | SdpRefusal {
  return refusingGarbage(() => {
    const { media: streams, timing } = parseSdp(offer)
    const audio = streams.filter(isAudio)
    if (audio.length === 0) return refusal('no_audio', 'the offer has no RTP/AVP audio stream')
    const open = audio.filter((media) => media.port !== 0)
    if (open.length === 0) return refusal('rejected', 'every audio stream of the offer has port 0')
    const speaks = (format: SdpFormat): format is G711Format =>
      isG711(format) && options.codecs.includes(format.encoding)
    const chosen = open.find((media) => media.formats.some(speaks))
    const format = chosen?.formats.find(speaks)
    if (!chosen || !format) return refusal('no_common_codec', `offered ${listed(open[0]!)}`)
    const agreed = negotiated(chosen, format, eventFormat(chosen), undefined)
    const lines = streams.flatMap((media) => (media === chosen ? answerLines(agreed, options.local) : declined(media)))
    return { answer: description(options, timing, lines), audio: agreed }
  })
}

function negotiated(
  media: SdpMedia,
  format: G711Format,
  ourEvent: SdpFormat | undefined,
  offeredPtimeMs: number | undefined,
): NegotiatedAudio {
  const audio: NegotiatedAudio = {
    remote: { host: media.host!, port: media.port }, // parseSdp saw a c= for every open stream
    codec: format.encoding,
    payloadType: format.payloadType,
    ptimeMs: packetTime(media.ptimeMs ?? offeredPtimeMs, media.maxPtimeMs),
    direction: MIRRORED[media.direction],
  }
  const event = eventFormat(media)
  if (event && ourEvent) {
    audio.dtmfPayloadType = event.payloadType
    if (event.payloadType !== ourEvent.payloadType) audio.dtmfReceivePayloadType = ourEvent.payloadType
  }
  // RFC 3264 §8.4: the old way to hold a call; there is nowhere to send to
  if (media.host === '0.0.0.0' || media.host === '::') {
    audio.direction = audio.direction === 'sendrecv' || audio.direction === 'recvonly' ? 'recvonly' : 'inactive'
  }
  return audio
}

function packetTime(ptimeMs: number | undefined, maxPtimeMs = Number.POSITIVE_INFINITY): 10 | 20 | 30 {
  if (maxPtimeMs < 20) return 10
  if (ptimeMs === 10) return 10
  return ptimeMs !== undefined && ptimeMs >= 30 && maxPtimeMs >= 30 ? 30 : 20
}

type G711Format = SdpFormat & { encoding: Codec }
const isG711 = (format: SdpFormat): format is G711Format =>
  (format.encoding === 'PCMU' || format.encoding === 'PCMA') && format.clockHz === 8000
const isAudio = (media: SdpMedia): boolean => media.kind === 'audio' && media.protocol === 'RTP/AVP'
const eventFormat = (media: SdpMedia): SdpFormat | undefined =>
  media.formats.find((format) => format.encoding === TELEPHONE_EVENT && format.clockHz === 8000)
const listed = (media: SdpMedia): string =>
  media.formats.map((format) => format.encoding).join(' ') || 'payload types without a known encoding'

function answerLines(audio: NegotiatedAudio, local: MediaAddress): string[] {
  return audioLines({
    port: local.port,
    formats: [{ payloadType: audio.payloadType, codec: audio.codec }],
    dtmfPayloadType: audio.dtmfPayloadType,
    ptimeMs: audio.ptimeMs,
    direction: audio.direction,
  })
}

/** RFC 3264 §6: a stream is never left out of an answer. */
const declined = (media: SdpMedia): string[] => [`m=${media.kind} 0 ${media.protocol} ${media.formatList}`]

function audioLines(stream: {
  port: number
  formats: { payloadType: number; codec: Codec }[]
  dtmfPayloadType: number | undefined
  ptimeMs: number
  direction: SdpDirection
}): string[] {
  const event = stream.dtmfPayloadType
  const payloadTypes = [...stream.formats.map((format) => format.payloadType), ...(event === undefined ? [] : [event])]
  return [
    `m=audio ${stream.port} RTP/AVP ${payloadTypes.join(' ')}`,
    ...stream.formats.map((format) => `a=rtpmap:${format.payloadType} ${format.codec}/8000`),
    ...(event === undefined ? [] : [`a=rtpmap:${event} telephone-event/8000`, `a=fmtp:${event} 0-15`]),
    `a=ptime:${stream.ptimeMs}`,
    `a=${stream.direction}`,
  ]
}

function description(options: AnswerOptions, timing: string, streams: string[]): Uint8Array {
  const origin = [options.sessionId, options.sessionVersion].map(String)
  if (origin.some((number) => !/^\d{1,20}$/.test(number))) throw new RangeError('SDP session id and version are digits')
  const address = `IN ${isIPv6(options.local.host) ? 'IP6' : 'IP4'} ${options.local.host}`
  const head = ['v=0', `o=- ${origin.join(' ')} ${address}`, 's=-', `c=${address}`, `t=${timing}`]
  return Buffer.from(`${[...head, ...streams].join('\r\n')}\r\n`)
}

const refusal = (refused: SdpRefusal['refused'], detail: string): SdpRefusal => ({ refused, detail })

function refusingGarbage<T>(read: () => T | SdpRefusal): T | SdpRefusal {
  try {
    return read()
  } catch (error) {
    if (error instanceof SdpSyntaxError) return refusal('malformed', error.message)
    throw error
  }
}
