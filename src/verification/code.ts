import { createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'
import type { PinType } from '../store/types.ts'

/**
 * Codes are derived, never stored: the same key and pinId give the same code, so a resend says the very same one and a
 * stolen database holds none.
 */
export type CodeKeys = {
  /** The key that new PINs are made with. */
  current: string
  /** By key id. Older keys stay while PINs made with them can be alive. */
  keys: ReadonlyMap<string, KeyObject>
}

/** Letters that a listener or reader takes for another (I, L, O; 0 and 1 beside letters) are left out. */
const ALPHABETS: Record<PinType, string> = {
  NUMERIC: '0123456789',
  ALPHA: 'ABCDEFGHJKMNPQRSTUVWXYZ',
  HEX: '0123456789ABCDEF',
  ALPHANUMERIC: '23456789ABCDEFGHJKMNPQRSTUVWXYZ',
}

/** The keys that codes come from, each derived from a master key, which itself is used for nothing else directly. */
export function codeKeys(masters: readonly { id: string; key: Buffer }[]): CodeKeys {
  const keys = new Map(
    masters.map(({ id, key }) => {
      const derived = Buffer.from(hkdfSync('sha256', key, '', 'pincall code v1', 32))
      return [id, createSecretKey(derived)] // made once: taking raw bytes each time costs more than the HMAC
    }),
  )
  return { current: masters[0].id, keys }
}

export type CodeOf = { pinId: string; codeKeyId: string; pinType: PinType; pinLength: number }

/**
 * The code of a PIN. HMAC-SHA-256 blocks over (pinId, counter) are read byte by byte; bytes past the last whole multiple
 * of the alphabet's size are skipped, so every character is equally likely.
 */
export function codeOf(keys: CodeKeys, pin: CodeOf): string {
  const key = keys.keys.get(pin.codeKeyId)
  if (!key) throw new Error(`The master key ${pin.codeKeyId} is gone, and PINs made with it can not be read.`)
  const alphabet = ALPHABETS[pin.pinType]
  const usable = 256 - (256 % alphabet.length)
  let code = ''
  for (let counter = 0; code.length < pin.pinLength; counter++) {
    const block = createHmac('sha256', key).update(`${pin.pinId}:${counter}`).digest()
    for (const byte of block) {
      if (byte < usable && code.length < pin.pinLength) code += alphabet[byte % alphabet.length]
    }
  }
  return code
}

/** Longer than any code; a guess that does not fit is none. */
const COMPARED_BYTES = 64

/**
 * Whether a guess is the code, in time that depends on the content of neither (their lengths are no secret). Letters count
 * in either case; spaces do not.
 */
export function guessMatches(keys: CodeKeys, pin: CodeOf, guess: string): boolean {
  const code = codeOf(keys, pin)
  const typed = guess.replace(/\s/g, '').toUpperCase()
  const padded = (text: string) => {
    const bytes = Buffer.alloc(COMPARED_BYTES)
    bytes.write(text)
    return bytes
  }
  return timingSafeEqual(padded(code), padded(typed)) && typed.length === code.length
}
