import { characterName, setsOf } from './characters.ts'
import { EngineProcess } from './engine-process.ts'
import { engineProgram } from './engine-programs.ts'
import { tableOf } from './languages.ts'
import { forTelephone, SAMPLE_RATE } from './loudness.ts'
import { joinPrompts, type Phrase, scriptFor } from './prompts.ts'
import { SoundCache } from './sound-cache.ts'
import { LONGEST_TEXT, spokenForm } from './spoken-text.ts'
import {
  type PromptRequest,
  type Prompts,
  type Sound,
  type Speech,
  SpeechFailed,
  type SpeechOptions,
  type VoiceChoice,
} from './types.ts'
import { ENGINE_VERSIONS, type EngineName, type Voice, voicesFor } from './voices.ts'

const CACHE_BYTES = 32 * 1024 * 1024
/** No call lasts longer, so nobody would hear the end of such a text, which may be where the code is. */
const LONGEST_S = 60
const NOTHING: Sound = new Int16Array(0)

/** Opens the speech room. Engines start with the first thing to say; `close` ends them. */
export async function openSpeech(options: SpeechOptions): Promise<Speech> {
  return new EngineSpeech(options)
}

export class EngineSpeech implements Speech {
  readonly #log: SpeechOptions['log']
  readonly #engines: Record<EngineName, EngineProcess>
  readonly cache: SoundCache

  constructor({ log, clock, cacheBytes = CACHE_BYTES }: SpeechOptions) {
    const engine = (name: EngineName) => new EngineProcess({ name, program: () => engineProgram(name), log, clock })
    this.#log = log
    this.#engines = { flite: engine('flite'), espeak: engine('espeak') }
    this.cache = new SoundCache(cacheBytes)
  }

  /** Of the engines that are running. */
  get pids(): number[] {
    return Object.values(this.#engines).flatMap(({ pid }) => pid ?? [])
  }

  async prepare(request: PromptRequest): Promise<Prompts> {
    const script = scriptFor(request)
    if (request.fault) await this.#provokeFault(request, script.greeting.text)
    const say = (phrase: Phrase) => this.#phrase(request, phrase)
    const [greeting, repeat, offerKey, goodbye, replay, characters, ...message] = await Promise.all([
      say(script.greeting),
      say(script.repeat),
      say(script.offerKey),
      say(script.goodbye),
      script.replay && say(script.replay),
      this.#characters(request, request.code),
      ...script.message.map(say),
    ])
    return joinPrompts(request, { greeting, repeat, offerKey, goodbye, replay, characters, message })
  }

  async say(voice: VoiceChoice, text: string): Promise<Sound> {
    const sound = await this.#phrase(voice, { text: spokenForm(voice.language, text), cacheable: true })
    return sound.slice()
  }

  async clips(voice: VoiceChoice, characters: string): Promise<Map<string, Sound[]>> {
    const known = await this.#characters(voice, characters)
    return new Map([...new Set(characters)].map((character) => [character, (known.get(character) ?? []).map(copy)]))
  }

  async warm(voice: VoiceChoice): Promise<void> {
    const { greeting, repeat, goodbye, offerKey } = tableOf(voice.language)
    const { digits, keys } = tableOf(voice.language)
    const offers = (keys ?? digits).split(' ').map((key) => offerKey.replace('{key}', key))
    for (const text of [greeting, repeat, goodbye, ...offers]) await this.#phrase(voice, { text, cacheable: true })
    await this.#characters(voice, '0123456789')
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#engines).map((engine) => engine.close()))
  }

  async #phrase(choice: VoiceChoice, { text, cacheable }: Phrase): Promise<Sound> {
    if (!/[\p{L}\p{N}]/u.test(text)) return NOTHING
    if (text.length > LONGEST_TEXT) throw new SpeechFailed(`A text may have ${LONGEST_TEXT} characters.`)
    const [sound = NOTHING] = await this.#withAnyVoice(choice, (voice) => {
      const make = async () => [await this.#render(voice, text, 1)]
      return cacheable ? this.cache.getOrMake([...keyOf(voice), 'phrase', text], make) : make()
    })
    return sound
  }

  async #characters(choice: VoiceChoice, characters: string): Promise<Map<string, Sound[]>> {
    const sets = setsOf(characters)
    if (!sets) throw new SpeechFailed('A character of the code has no spoken name.')
    const known = new Map<string, Sound[]>()
    for (const set of sets) {
      const sounds = await this.#withAnyVoice(choice, (voice) =>
        this.cache.getOrMake([...keyOf(voice), choice.language, 'characters', set], () =>
          this.#set(choice, voice, set),
        ),
      )
      for (const [index, character] of [...set].entries()) known.set(character, sounds.slice(2 * index, 2 * index + 2))
    }
    return known
  }

  /** One after the other, so that a phrase somebody waits for need not wait for all of them. */
  async #set({ language }: VoiceChoice, voice: Voice, set: string): Promise<Sound[]> {
    const sounds: Sound[] = []
    for (const character of set) {
      const name = characterName(language, character)
      sounds.push(await this.#render(voice, `${name},`, voice.pitch.running))
      sounds.push(await this.#render(voice, `${name}.`, voice.pitch.final))
    }
    return sounds
  }

  async #render(voice: Voice, text: string, pitch: number): Promise<Sound> {
    const written = voice.write(text)
    if (written === '') return NOTHING
    const { id, rate, engine } = voice
    const sound = forTelephone(await this.#engines[engine].speak({ voice: id, rate, pitch, text: written }))
    if (sound.length === 0) throw new SpeechFailed(`${engine} said nothing.`)
    if (sound.length > LONGEST_S * SAMPLE_RATE) throw new SpeechFailed('The text is longer than a call.')
    return sound
  }

  /** The first voice that can; where none can, the last one's reason. */
  async #withAnyVoice<T>(choice: VoiceChoice, use: (voice: Voice) => Promise<T>): Promise<T> {
    const [first, ...others] = voicesFor(choice)
    try {
      return await use(first)
    } catch (error) {
      const [second] = others
      if (!second || !(error instanceof SpeechFailed)) throw error
      this.#log.warn({ engine: first.engine, reason: error.message }, 'another engine has to speak')
      return use(second)
    }
  }

  async #provokeFault(choice: VoiceChoice, text: string): Promise<void> {
    await this.#withAnyVoice(choice, ({ engine, id, rate }) =>
      this.#engines[engine].speak({ voice: id, rate, text, fault: true }),
    )
  }
}

const keyOf = ({ engine, id, rate }: Voice) => [engine, ENGINE_VERSIONS[engine], id, rate, SAMPLE_RATE]
const copy = (sound: Sound) => sound.slice()
