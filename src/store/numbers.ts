import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
} from 'node:crypto'
import { PincallError } from '../errors.ts'
import { type Random, systemRandom } from '../random.ts'

/** How people's numbers are kept: sealed, and beside it a keyed hash by which they are found. */
export type Numbers = {
  /** Seals a number for the PIN it belongs to: `<key id>.<base64url of nonce, ciphertext, tag>`. */
  seal(number: string, pinId: string): string
  /** Throws where the key is gone or the text was changed or moved to another PIN. */
  open(sealed: string, pinId: string): string
  /** Whether it is sealed with the current key. */
  isCurrent(sealed: string): boolean
  /** 22 characters that stand for a number, or another text that must not be kept, and tell nothing about it. */
  hash(text: string): string
  /** The same by every key, the current one first: rows of before a rotation are found by them. */
  hashes(text: string): string[]
  /** What tells master keys apart without telling them, under the names by which a database remembers them. */
  readonly fingerprints: readonly { name: string; keyId: string; fingerprint: string }[]
}

const NONCE_BYTES = 12
const TAG_BYTES = 16
const HASH_BYTES = 16

type Key = { id: string; sealing: KeyObject; hashing: KeyObject }

/**
 * Numbers sealed with AES-256-GCM (NIST SP 800-38D), the PIN's id as additional data, and hashed with HMAC-SHA-256; both
 * keys come from the master keys by HKDF (RFC 5869), the first of which is the current one. Random nonces want a new key
 * after 2^32 numbers: `pincall store reseal`.
 */
export function sealedNumbers(
  masters: readonly { id: string; key: Buffer }[],
  random: Pick<Random, 'bytes'> = systemRandom,
): Numbers {
  const derived = (key: Buffer, use: string) => createSecretKey(Buffer.from(hkdfSync('sha256', key, '', use, 32)))
  const keys = masters.map(
    ({ id, key }): Key => ({
      id,
      sealing: derived(key, 'pincall numbers at rest v1'),
      hashing: derived(key, 'pincall number index v1'),
    }),
  )
  const [current] = keys
  const byId = new Map(keys.map((key) => [key.id, key]))
  const hashBy = (key: Key, text: string) =>
    createHmac('sha256', key.hashing).update(text).digest().subarray(0, HASH_BYTES).toString('base64url')

  return {
    seal(number, pinId) {
      const nonce = random.bytes(NONCE_BYTES)
      const cipher = createCipheriv('aes-256-gcm', current.sealing, nonce).setAAD(Buffer.from(pinId))
      const sealed = Buffer.concat([nonce, cipher.update(number, 'utf8'), cipher.final(), cipher.getAuthTag()])
      return `${current.id}.${sealed.toString('base64url')}`
    },
    open(sealed, pinId) {
      const dot = sealed.lastIndexOf('.') // an id may have dots, base64url has none
      const key = byId.get(sealed.slice(0, dot))
      if (!key)
        throw new Error(`The master key ${sealed.slice(0, dot)} is gone, and numbers sealed with it can not be read.`)
      const text = sealed.slice(dot + 1)
      const bytes = Buffer.from(text, 'base64url')
      // base64 is read leniently: without this, many texts would be the same number
      if (bytes.length < NONCE_BYTES + TAG_BYTES || bytes.toString('base64url') !== text) {
        throw new Error('A sealed number was changed.')
      }
      const nonce = bytes.subarray(0, NONCE_BYTES)
      const decipher = createDecipheriv('aes-256-gcm', key.sealing, nonce, { authTagLength: TAG_BYTES })
      decipher.setAAD(Buffer.from(pinId)).setAuthTag(bytes.subarray(-TAG_BYTES))
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8')
    },
    isCurrent: (sealed) => sealed.slice(0, sealed.lastIndexOf('.')) === current.id,
    hash: (text) => hashBy(current, text),
    hashes: (text) => keys.map((key) => hashBy(key, text)),
    fingerprints: masters.map(fingerprintOf),
  }
}

const fingerprintOf = ({ id, key }: { id: string; key: Buffer }) => ({
  name: `master-key:${id}`,
  keyId: id,
  fingerprint: createHash('sha256').update('pincall master key fingerprint').update(key).digest('hex').slice(0, 16),
})

/** The sentence with which a key is refused that is not the one a database was made with. */
export const wrongMasterKey = (keyId: string): PincallError =>
  new PincallError(
    'configuration',
    `The master key ${keyId} is not the one this database was made with: restore secret.key (or PINCALL_SECRET_KEY; all nodes of one database have the same), or give the new key another id and keep the old one behind it.`,
  )
