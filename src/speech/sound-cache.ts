import { createHash } from 'node:crypto'
import type { Sound } from './types.ts'

/**
 * Sounds made before, bounded in bytes, the longest unused leaving first. Keys are hashes, so the memory holds no text; what
 * may be put in here (never a code, never a name) is for the caller to decide. Asked twice at once, a sound is made once.
 */
export class SoundCache {
  readonly #maxBytes: number
  readonly #kept = new Map<string, Sound[]>()
  readonly #underWay = new Map<string, Promise<Sound[]>>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  get keys(): string[] {
    return [...this.#kept.keys()]
  }

  getOrMake(parts: readonly (string | number)[], make: () => Promise<Sound[]>): Promise<Sound[]> {
    const key = createHash('sha256').update(JSON.stringify(parts)).digest('base64url')
    const known = this.#kept.get(key)
    if (known) {
      this.#kept.delete(key) // to the end of the map's order: the latest used
      this.#kept.set(key, known)
      return Promise.resolve(known)
    }
    const running = this.#underWay.get(key)
    if (running) return running
    const made = make()
      .then((sounds) => this.#keep(key, sounds))
      .finally(() => this.#underWay.delete(key))
    this.#underWay.set(key, made)
    return made
  }

  #keep(key: string, sounds: Sound[]): Sound[] {
    const size = bytesOf(sounds)
    if (size > this.#maxBytes) return sounds
    this.#kept.set(key, sounds)
    this.#bytes += size
    for (const [oldest, old] of this.#kept) {
      if (this.#bytes <= this.#maxBytes) break
      this.#kept.delete(oldest)
      this.#bytes -= bytesOf(old)
    }
    return sounds
  }
}

const bytesOf = (sounds: readonly Sound[]) => sounds.reduce((sum, sound) => sum + sound.byteLength, 0)
