import { groupsOf } from './characters.ts'
import { keyName, tableOf } from './languages.ts'
import { join, silence } from './loudness.ts'
import { canRead, spokenForm } from './spoken-text.ts'
import type { PromptRequest, Prompts, Sound } from './types.ts'
import { slownessOf } from './voices.ts'

const PLACEHOLDER = '{{pin}}'
const BEFORE_CODE_MS = 450
const AFTER_CODE_MS = 650

/** One piece of what is said around the code. */
export type Phrase = { text: string; cacheable: boolean }

/** The texts of a call, without its code: what has to be rendered, and where the code goes. */
export type Script = {
  greeting: Phrase
  /** The message, cut at its placeholder: the code is said between each two pieces. */
  message: Phrase[]
  repeat: Phrase
  replay: Phrase | undefined
  offerKey: Phrase
  goodbye: Phrase
}

export function scriptFor(request: PromptRequest): Script {
  const table = tableOf(request.language)
  const own = (text: string): Phrase => ({ text, cacheable: true })
  const withKey = (text: string, key: string | undefined) => {
    const name = key === undefined ? undefined : keyName(request.language, key)
    return name === undefined ? undefined : own(text.replace('{key}', name))
  }
  const offerKey = withKey(table.offerKey, request.proofKey)
  if (!offerKey) throw new RangeError('proofKey must be a key of a telephone')
  return {
    greeting: own(table.greeting),
    message: canRead(request.language, request.text)
      ? messagePhrases(request, request.text, request.filled)
      : messagePhrases(request, table.message, []),
    repeat: own(table.repeat),
    replay: withKey(
      table.replay,
      [...(request.replayKeys ?? '')].find((key) => '0123456789*#'.includes(key)),
    ),
    offerKey,
    goodbye: own(table.goodbye),
  }
}

function messagePhrases({ language }: PromptRequest, text: string, filled: readonly string[] | undefined): Phrase[] {
  const parts = text.includes(PLACEHOLDER) ? text.split(PLACEHOLDER) : [text, '']
  return parts.map((part, index) => {
    const isPersonal = !filled || filled.some((value) => value !== '' && part.includes(value))
    const spoken = spokenForm(language, part).replace(/^[\p{P}\p{S}\s]+/u, '')
    const goesOn = index < parts.length - 1 && /[\p{L}\p{N}]$/u.test(spoken)
    return { text: goesOn ? `${spoken},` : spoken, cacheable: !isPersonal }
  })
}

/** What a script's phrases and a code's characters sound like. */
export type Sounds = {
  greeting: Sound
  message: Sound[]
  repeat: Sound
  replay: Sound | undefined
  offerKey: Sound
  goodbye: Sound
  /** Of each character: within the code, and as its last. */
  characters: Map<string, Sound[]>
}

/** Puts a call's audio together, in memory only: here, and nowhere else, the code is made audible. */
export function joinPrompts(request: PromptRequest, sounds: Sounds): Prompts {
  const code = spokenCode(request, sounds.characters)
  const reading = sounds.message.flatMap((part, index) => {
    const said = part.length > 0 ? [part] : []
    if (index === sounds.message.length - 1) return said
    const goesOn = sounds.message.slice(index + 1).some((later) => later.length > 0)
    return [
      ...said,
      ...(said.length > 0 ? [silence(BEFORE_CODE_MS)] : []),
      code,
      ...(goesOn ? [silence(AFTER_CODE_MS)] : []),
    ]
  })
  const replay = sounds.replay ? [silence(AFTER_CODE_MS), sounds.replay] : []
  return {
    greeting: join([sounds.greeting]),
    reading: join(reading),
    repetition: join([sounds.repeat, silence(BEFORE_CODE_MS), code, ...replay]),
    offerKey: join([sounds.offerKey]),
    goodbye: join([sounds.goodbye]),
  }
}

function spokenCode(request: PromptRequest, characters: Map<string, Sound[]>): Sound {
  const slowness = slownessOf(request)
  const between = silence(Math.min(400, Math.max(300, 350 * slowness)))
  const betweenGroups = silence(Math.min(700, Math.max(600, 650 * slowness)))
  const parts: Sound[] = []
  let left = request.code.length
  for (const group of groupsOf(request.code)) {
    if (parts.length > 0) parts.push(betweenGroups)
    for (const [index, character] of [...group].entries()) {
      if (index > 0) parts.push(between)
      const [running, final] = characters.get(character) ?? []
      parts.push((--left === 0 ? final : running) ?? new Int16Array(0))
    }
  }
  return join(parts)
}
