import { setPriority } from 'node:os'
import { parentPort } from 'node:worker_threads'
import { type HeardCode, hearCode } from './hear-code.ts'
import { hearKey } from './hear-key.ts'
import type { FromListener, ToListener, Understood, Vocabulary } from './hearing.ts'

/** No other voice will fit better than this. */
const CERTAIN = 0.95

/** Sound must leave every 20 ms, understanding it may wait. On Linux, and only there, this is the thread's own priority. */
const BEHIND_THE_SOUND = 10
if (process.platform === 'linux') setPriority(BEHIND_THE_SOUND)

const vocabularies = new Map<string, Vocabulary>()

function understand({ sound, names, wantsKey }: Extract<ToListener, { type: 'listen' }>): Understood {
  const known = names.flatMap((name) => vocabularies.get(name) ?? [])
  const code = bestCode(sound, known)
  if (code) return { code: code.code, confidence: code.confidence }
  for (const { keys } of wantsKey ? known : []) {
    const key = hearKey(sound, keys)
    if (key !== undefined) return { key }
  }
  return {}
}

function bestCode(sound: Int16Array, known: readonly Vocabulary[]): HeardCode | undefined {
  let best: HeardCode | undefined
  for (const { characters } of known) {
    const heard = hearCode(sound, characters)
    if (heard && heard.confidence > (best?.confidence ?? 0)) best = heard
    if (best && best.confidence >= CERTAIN) break
  }
  return best
}

parentPort?.on('message', (message: ToListener) => {
  if (message.type === 'learn') vocabularies.set(message.vocabulary.name, message.vocabulary)
  else if (message.type === 'forget') vocabularies.delete(message.name)
  else parentPort?.postMessage({ id: message.id, understood: understand(message) } satisfies FromListener)
})
