import type { SipMessage } from './message.ts'
import { parseParams } from './text.ts'

const NO_BODY = new Uint8Array(0)

/**
 * The session description in a message: its body, or the application/sdp part of a multipart body (RFC 5621 §3.1, as
 * gateways send beside ISUP). Empty where there is none; undefined where the body is something else.
 */
export function sessionBodyOf(message: SipMessage): Uint8Array | undefined {
  if (message.body.length === 0) return NO_BODY
  if (message.headers.get('content-encoding') !== undefined) return undefined
  const type = message.headers.get('content-type') ?? 'application/sdp'
  if (isSdp(type)) return message.body
  const boundary = /^multipart\//i.test(type) ? parseParams(type).get('boundary') : undefined
  return boundary ? sdpPart(Buffer.from(message.body).toString('latin1'), boundary.slice(0, 70)) : undefined
}

function sdpPart(body: string, boundary: string): Uint8Array | undefined {
  for (const part of `\r\n${body}`.split(`\r\n--${boundary}`).slice(1, 17)) {
    const headEnd = part.indexOf('\r\n\r\n')
    if (headEnd === -1) continue
    const type = /^(?:content-type|c)[ \t]*:[ \t]*(.+)$/im.exec(part.slice(0, headEnd))?.[1]
    if (type !== undefined && isSdp(type)) return Buffer.from(part.slice(headEnd + 4), 'latin1')
  }
  return undefined
}

const isSdp = (type: string): boolean => /^application\/sdp[ \t\r]*(;|$)/i.test(type)
