/**
 * Finds out a code from the sound that a handset received, as a person with a pencil would: words between pauses, each
 * compared with the clips of the characters. It knows the clips, which are public, and nothing of the call.
 *
 * Words are compared twice: roughly, below 650 Hz, to find the likely characters and where they lie; then exactly, in blocks of
 * 20 ms, so that a lost packet costs its own block and a late one may shift the rest of the word.
 */
export type HeardCode = { code: string; confidence: number; readings: string[] }

const FRAME = 80 // 10 ms
const DECIMATION = 4
const BLOCK = 160
/** Edges of a word found in the noise of a line differ by this much from those of its clip. */
const EDGE_FRAMES = 8
const COARSE_LAGS = 64 // 32 ms at 2 kHz
const FINE_LAGS = 3
/** A word may go on earlier or later than it began, by a packet or half of one. */
const SLIPS = [0, -160, -80, 80, 160]
/** A match this good needs no look at slips; one this plain none at words of another length. */
const CERTAIN = 0.95
const PLAIN = 0.985
const ROUGHLY_ALIKE = 0.35
/** Below 650 Hz B, D, E, P and T hardly differ: whatever is nearly as good is looked at closely. */
const CANDIDATES = 14
const CLEARLY_WORSE = 0.2
/** Below this a word is not a character: messages are full of words that sound a little like one. */
const ALIKE = 0.8
/** A last character may be a hair more like its clip from within a code. */
const FINAL_SLACK = 0.05
const UNKNOWN = '?'
const LONGEST_PAUSE_FRAMES = 130
const PAUSE_AFTER_CODE_FRAMES = 90
const MOST_WORDS = 400
const SHORTEST_FRAMES = 5
/** Characters of a code stand at least 300 ms apart: what is nearer is one word, or a phrase. */
const MOST_PAUSE_WITHIN = 22

type Span = { start: number; end: number } // frames
/** What was heard, and up to each coarse sample its energy. */
type Line = { fine: Float32Array; coarse: Float32Array; energy: Float64Array }
/** `coarse` has an energy of 1. */
type Clip = {
  character: string
  isFinal: boolean
  frames: number
  start: number
  longestPause: number
  fine: Float32Array
  coarse: Float32Array
}
type Word = { span: Span; character: string; score: number; isFinal: boolean }

export function hearCode(heard: Int16Array, clips: Map<string, Int16Array[]>): HeardCode | undefined {
  const sounds = [...clips.values()].flat()
  if (sounds.length === 0) return undefined
  const powers = powersOf(heard)
  const depth = depthOfSilence(powers)
  const quiet = depth * levelOf(sounds.flatMap(powersOf)) // of clips and of the line alike, whatever the line's level
  const known = [...clips].flatMap(([character, both]) =>
    both.map((sound, index) => clipOf(character, both.length === 1 || index > 0, sound, quiet)),
  )
  const pauseWithin = Math.max(...known.map((clip) => clip.longestPause))
  const spans = wordsIn(powers, depth * levelOf(powers), Math.max(MOST_PAUSE_WITHIN, pauseWithin + 3))
  const shortest = Math.min(...known.map((clip) => clip.frames)) - EDGE_FRAMES
  const longest = Math.max(...known.map((clip) => clip.frames)) + EDGE_FRAMES
  const line = lineOf(heard)
  const words = spans.slice(0, MOST_WORDS).map((span): Word => {
    const frames = span.end - span.start
    const isPossible = frames >= shortest && frames <= longest
    return (isPossible && recognise(line, span, known)) || { span, character: UNKNOWN, score: 0, isFinal: false }
  })
  return vote(readingsOf(words))
}

/**
 * Characters that follow each other without a long pause. One word among them that was not understood stays as `?`; two
 * are words of a message, and so is whatever follows a last character after a pause.
 */
function readingsOf(words: readonly Word[]): Word[][] {
  const readings: Word[][] = []
  let current: Word[] = []
  const finish = () => {
    while (current.at(-1)?.character === UNKNOWN) current.pop()
    if (current.length > 0) readings.push(current)
    current = []
  }
  for (const word of words) {
    const last = current.at(-1)
    const pause = last ? word.span.start - last.span.end : 0
    if (pause > (last?.isFinal ? PAUSE_AFTER_CODE_FRAMES : LONGEST_PAUSE_FRAMES)) finish()
    if (last?.character === UNKNOWN && word.character === UNKNOWN) finish()
    if (current.length > 0 || word.character !== UNKNOWN) current.push(word)
  }
  finish()
  return readings
}

/** What most complete readings say, place by place; a place that was never understood leaves the code unheard. */
function vote(readings: readonly Word[][]): HeardCode | undefined {
  const complete = readings.filter((reading) => reading.at(-1)?.isFinal)
  const lengths = complete.map((reading) => reading.length)
  const votesFor = (length: number) => lengths.filter((each) => each === length).length
  const length = lengths.toSorted((a, b) => votesFor(b) - votesFor(a) || b - a)[0]
  if (length === undefined) return undefined
  const voters = complete.filter((reading) => reading.length === length)
  const chosen = Array.from({ length }, (_, place) => mostLikely(voters.map((reading) => reading[place] as Word)))
  if (chosen.some(({ character }) => character === UNKNOWN)) return undefined
  return {
    code: chosen.map(({ character }) => character).join(''),
    confidence: chosen.reduce((sum, { score }) => sum + score, 0) / length,
    readings: readings.map((reading) => reading.map(({ character }) => character).join('')),
  }
}

function mostLikely(words: readonly Word[]): { character: string; score: number } {
  const sums = new Map<string, number>()
  for (const { character, score } of words) sums.set(character, (sums.get(character) ?? 0) + score)
  const [character = UNKNOWN, sum = 0] = [...sums].toSorted((a, b) => b[1] - a[1])[0] ?? []
  const understood = words.filter((word) => word.character !== UNKNOWN).length
  return { character, score: understood === 0 ? 0 : sum / understood }
}

/** Clips of nearly the word's length first: mostly that is enough, and it is half the work. */
function recognise(line: Line, span: Span, clips: readonly Clip[]): Word | undefined {
  const differs = (clip: Clip) => Math.abs(clip.frames - (span.end - span.start))
  const near = clips.filter((clip) => differs(clip) <= EDGE_FRAMES / 2)
  const others = clips.filter((clip) => differs(clip) > EDGE_FRAMES / 2 && differs(clip) <= EDGE_FRAMES)
  const first = bestOf(line, span, near)
  if (first && first.score > PLAIN) return first
  const second = bestOf(line, span, others)
  return first && first.score >= (second?.score ?? 0) ? first : second
}

function bestOf(line: Line, span: Span, clips: readonly Clip[]): Word | undefined {
  const likely = clips
    .map((clip) => ({ clip, ...coarseMatch(line, span.start, clip) }))
    .filter(({ score }) => score >= ROUGHLY_ALIKE)
    .toSorted((a, b) => b.score - a.score)
    .filter(({ score }, rank, [best]) => rank < CANDIDATES && score >= (best?.score ?? 0) - CLEARLY_WORSE)
    .map(({ clip, at }) => ({ clip, score: fineMatch(line.fine, at, clip.fine) * covered(line.fine, span, at, clip) }))
    .toSorted((a, b) => b.score - a.score)
  const [best] = likely
  if (!best || best.score < ALIKE) return undefined
  const { character } = best.clip
  const final = likely.find(({ clip }) => clip.isFinal && clip.character === character)
  return { span, character, score: best.score, isFinal: final !== undefined && final.score >= best.score - FINAL_SLACK }
}

/** Where the clip fits the sound best, near where its first loud frame should be, and how well, 0–1. */
function coarseMatch({ coarse, energy }: Line, startFrame: number, clip: Clip): { score: number; at: number } {
  const expected = ((startFrame - clip.start) * FRAME) / DECIMATION
  const count = clip.coarse.length
  let best = { score: 0, at: 0 }
  for (let at = Math.max(0, expected - COARSE_LAGS); at <= expected + COARSE_LAGS; at++) {
    if (at + count > coarse.length) break
    let product = 0
    for (let index = 0; index < count; index++) {
      product += (coarse[at + index] as number) * (clip.coarse[index] as number)
    }
    const score = product / Math.sqrt((energy[at + count] as number) - (energy[at] as number) + 1)
    if (score > best.score) best = { score, at: at * DECIMATION }
  }
  return best
}

/** How well the clip fits in blocks, its first blocks in one place and the rest in the same or in a slipped one. */
function fineMatch(sound: Float32Array, at: number, clip: Float32Array): number {
  const blocks = Math.floor(clip.length / BLOCK)
  const weights = Array.from({ length: blocks }, (_, block) => Math.sqrt(energyOf(clip, block * BLOCK, BLOCK)))
  const all = weights.reduce((sum, weight) => sum + weight, 1e-9)
  const bestHead = new Float64Array(blocks + 1)
  const bestTail = new Float64Array(blocks + 1)
  let best = 0
  for (const slip of SLIPS) {
    for (let lag = -FINE_LAGS; lag <= FINE_LAGS; lag++) {
      const head = new Float64Array(blocks + 1)
      for (let block = 0; block < blocks; block++) {
        const fit = alike(sound, at + slip + lag + block * BLOCK, clip, block * BLOCK, BLOCK)
        head[block + 1] = (head[block] as number) + fit * (weights[block] as number)
      }
      const whole = head[blocks] as number
      for (let block = 0; block <= blocks; block++) {
        bestHead[block] = Math.max(bestHead[block] as number, head[block] as number)
        bestTail[block] = Math.max(bestTail[block] as number, whole - (head[block] as number))
      }
    }
    best = bestHead.reduce((most, head, block) => Math.max(most, head + (bestTail[block] as number)), 0) / all
    if (best > CERTAIN) return best // nothing slipped
  }
  return best
}

/** How much of the word the clip accounts for: „E“ fits well into „P“, but leaves its beginning unexplained. */
function covered(sound: Float32Array, { start, end }: Span, at: number, clip: Clip): number {
  let [inside, outside] = [1e-9, 0]
  for (let from = start * FRAME; from < end * FRAME; from += FRAME) {
    const size = Math.sqrt(energyOf(sound, from, FRAME))
    const isInside = from + FRAME > at && from < at + clip.fine.length
    if (isInside) inside += size
    else outside += size
  }
  return inside / (inside + outside)
}

function lineOf(heard: Int16Array): Line {
  const coarse = decimated(heard)
  const energy = new Float64Array(coarse.length + 1)
  for (const [index, value] of coarse.entries()) energy[index + 1] = (energy[index] as number) + value ** 2
  return { fine: sharpened(heard), coarse, energy }
}

function unit(sound: Float32Array): Float32Array {
  const size = Math.sqrt(energyOf(sound, 0, sound.length)) || 1
  return sound.map((value) => value / size)
}

/** Normalised correlation of a stretch of sound with a stretch of a clip, 0 where there is none. */
function alike(sound: Float32Array, at: number, clip: Float32Array, from: number, count: number): number {
  if (at < 0 || at + count > sound.length) return 0
  let [product, left, right] = [0, 0, 0]
  for (let index = 0; index < count; index++) {
    const a = sound[at + index] as number
    const b = clip[from + index] as number
    product += a * b
    left += a * a
    right += b * b
  }
  return product <= 0 ? 0 : product / Math.sqrt(left * right)
}

function energyOf(sound: Float32Array, at: number, count: number): number {
  let sum = 0
  for (let index = at; index < at + count; index++) sum += (sound[index] as number) ** 2
  return sum
}

function clipOf(character: string, isFinal: boolean, sound: Int16Array, quiet: number): Clip {
  const loud = powersOf(sound).map((power) => power > quiet)
  const start = Math.max(0, loud.indexOf(true))
  const end = loud.lastIndexOf(true) + 1
  let [longestPause, pause] = [0, 0]
  for (const isLoud of loud.slice(start, end)) {
    pause = isLoud ? 0 : pause + 1
    longestPause = Math.max(longestPause, pause)
  }
  const frames = end - start
  return { character, isFinal, start, frames, longestPause, fine: sharpened(sound), coarse: unit(decimated(sound)) }
}

/** Stretches of sound between pauses; a pause of up to `joinFrames` is part of a word. */
function wordsIn(powers: readonly number[], quiet: number, joinFrames: number): Span[] {
  const spans: Span[] = []
  for (const [frame, power] of powers.entries()) {
    if (power <= quiet) continue
    const last = spans.at(-1)
    if (last && frame - last.end <= joinFrames) last.end = frame + 1
    else spans.push({ start: frame, end: frame + 1 })
  }
  return spans.filter(({ start, end }) => end - start >= SHORTEST_FRAMES)
}

/** Power in frames of 10 ms. */
function powersOf(sound: Int16Array): number[] {
  const powers: number[] = []
  for (let at = 0; at + FRAME <= sound.length; at += FRAME) {
    let sum = 0
    for (let index = at; index < at + FRAME; index++) sum += (sound[index] as number) ** 2
    powers.push(sum / FRAME)
  }
  return powers
}

/** Level of the voice alone: the mean of all frames that are not far below the loudest. */
function levelOf(powers: readonly number[]): number {
  const loudest = powers.toSorted((a, b) => b - a)[Math.floor(powers.length / 200)] ?? 0
  const loud = powers.filter((power) => power >= loudest / 100)
  return loud.reduce((sum, power) => sum + power, 0) / Math.max(1, loud.length)
}

/** What share of the voice's level counts as silence: 36 dB down on a clean line, less far on a noisy one. */
function depthOfSilence(powers: readonly number[]): number {
  const noise = powers.toSorted((a, b) => a - b)[Math.floor(powers.length / 10)] ?? 0
  return Math.min(0.1, Math.max(0.00025, (noise * 6) / Math.max(1, levelOf(powers))))
}

/** Consonants raised, so that two words with the same vowel differ. */
function sharpened(sound: Int16Array): Float32Array {
  const result = new Float32Array(sound.length)
  for (let index = 1; index < sound.length; index++) {
    result[index] = (sound[index] as number) - 0.7 * (sound[index - 1] as number)
  }
  return result
}

/** Windowed sinc, half way down at 650 Hz: what folds back would depend on where in a word the first sample falls. */
const LOW_PASS = Float32Array.from({ length: 40 }, (_, tap) => {
  const x = tap - 19.5
  const sinc = Math.sin((2 * Math.PI * 650 * x) / 8000) / x
  return sinc * (0.5 - 0.5 * Math.cos((2 * Math.PI * (tap + 0.5)) / 40))
})

function decimated(sound: Int16Array): Float32Array {
  const result = new Float32Array(Math.floor(sound.length / DECIMATION))
  for (let index = 0; index < result.length; index++) {
    const from = index * DECIMATION - 18
    const first = Math.max(0, -from)
    const last = Math.min(LOW_PASS.length, sound.length - from)
    let sum = 0
    for (let tap = first; tap < last; tap++) sum += (LOW_PASS[tap] as number) * (sound[from + tap] as number)
    result[index] = sum
  }
  return result
}
