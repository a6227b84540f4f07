import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parentPort, workerData } from 'node:worker_threads'
import { systemRandom } from '../random.ts'
import { loadFvad } from './fvad.ts'
import { Pacer } from './pacer.ts'
import { PortCircle } from './ports.ts'
import type { FromSession, FromWorker, ToWorker, WorkerSettings } from './protocol.ts'
import { type WorkerDeps, WorkerSession } from './worker-session.ts'

/** The media thread: nothing runs here but sound. One message in, one verb of one session. */

const DELAY_RESOLUTION_MS = 10
const DELAY_REPORT_MS = 1000

const settings: WorkerSettings = workerData
const port = parentPort
if (!port) throw new Error('media/worker runs as a worker thread only')

const sessions = new Map<number, WorkerSession>()
const deps: WorkerDeps = {
  pacer: new Pacer(),
  ports: new PortCircle(settings.ports, settings.share, settings.shares, systemRandom),
  fvad: await loadFvad(),
  random: systemRandom,
}

const post = (message: FromWorker, transfer: ArrayBuffer[] = []) => port.postMessage(message, transfer)

port.on('message', (message: ToWorker) => {
  const say = (says: FromSession, transfer?: ArrayBuffer[]) =>
    post({ type: 'session', session: message.session, says }, transfer)
  void obey(message, say).catch((error: unknown) => fail(message.session, error))
})

/** One session's fault is its own: it ends, the others go on. */
function fail(session: number, error: unknown): void {
  void sessions.get(session)?.close()
  sessions.delete(session)
  post({ type: 'fault', session, sentence: error instanceof Error ? error.message : String(error) })
}

async function obey(message: ToWorker, say: (says: FromSession, transfer?: ArrayBuffer[]) => void): Promise<void> {
  if (message.type === 'open') return open(message, say)
  const session = sessions.get(message.session)
  if (!session) return
  if (message.type === 'connect') session.connect(message.audio)
  else if (message.type === 'play') session.play(message.id, message.pcm)
  else if (message.type === 'stop') session.stop()
  else if (message.type === 'press') session.press(message.keys)
  else if (message.type === 'record') {
    const pcm = session.recorded()
    say({ type: 'recorded', request: message.request, pcm }, [pcm.buffer as ArrayBuffer])
  } else {
    sessions.delete(message.session)
    const stats = await session.close()
    const pcm = session.recorded()
    say({ type: 'closed', stats, pcm }, [pcm.buffer as ArrayBuffer])
  }
}

async function open(
  { session: id, options }: Extract<ToWorker, { type: 'open' }>,
  say: (says: FromSession) => void,
): Promise<void> {
  const session = new WorkerSession(deps, options, say, (error) => fail(id, error))
  try {
    const localPort = await session.open()
    sessions.set(id, session)
    say({ type: 'opened', port: localPort })
  } catch (error) {
    await session.close()
    say({ type: 'refused', sentence: error instanceof Error ? error.message : String(error) })
  }
}

const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS })
delay.enable()
setInterval(() => {
  // the histogram holds the whole time between two ticks of its own timer: what lies over its period is the delay
  const p99Ms = Math.max(0, delay.percentile(99) / 1e6 - DELAY_RESOLUTION_MS)
  delay.reset()
  post({ type: 'delay', p99Ms: Number.isFinite(p99Ms) ? p99Ms : 0 })
}, DELAY_REPORT_MS).unref()

post({ type: 'ready' })
