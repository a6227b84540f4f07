import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { Observation } from './delivery/index.ts'
import type { Removed } from './store/index.ts'

/** What /metrics shows. Labels are from closed lists: never a number, an id or a code. */
export function makeMetrics(read: {
  running(): number
  mediaSessions(): number
  loopDelayMs(): number
  sip(): Record<string, number>
}) {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry, prefix: 'pincall_' })
  const closed = new Counter({
    name: 'pincall_deliveries_total',
    help: 'Deliveries by how they ended.',
    labelNames: ['channel', 'disposition', 'trunk'],
    registers,
  })
  const verdicts = new Counter({
    name: 'pincall_detection_verdicts_total',
    help: 'Verdicts of the human-or-machine detector.',
    labelNames: ['verdict', 'language'],
    registers,
  })
  const dialled = new Histogram({
    name: 'pincall_request_to_dial_seconds',
    help: 'From the accepted request to the message or INVITE that left for it.',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const prompts = new Histogram({
    name: 'pincall_prompts_seconds',
    help: 'Time to render everything a call can say.',
    buckets: [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1],
    registers,
  })
  const leasesLost = new Counter({
    name: 'pincall_leases_lost_total',
    help: 'Deliveries of this process that another node took over, because this one was slow or away from the database.',
    registers,
  })
  const unavailable = new Counter({
    name: 'pincall_store_unavailable_total',
    help: 'Operations that the database could not carry out.',
    registers,
  })
  const removed = new Counter({
    name: 'pincall_retention_removed_total',
    help: 'Rows that this process removed because they were past their days.',
    labelNames: ['kind'],
    registers,
  })
  const gauge = (name: string, help: string, value: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(value())
      },
    })
  gauge('pincall_deliveries_in_progress', 'Deliveries being carried out by this process.', read.running)
  gauge('pincall_media_sessions', 'Calls with sound now.', read.mediaSessions)
  gauge(
    'pincall_media_loop_delay_milliseconds',
    '99th percentile of the media workers’ event-loop delay.',
    read.loopDelayMs,
  )
  new Gauge({
    name: 'pincall_sip_datagrams',
    help: 'SIP datagrams since the start, by what became of them.',
    labelNames: ['what'],
    registers,
    collect() {
      for (const [what, value] of Object.entries(read.sip())) this.set({ what }, value)
    },
  })
  return {
    registry,
    observe(observation: Observation): void {
      switch (observation.kind) {
        case 'closed':
          closed.inc({
            channel: observation.channel,
            disposition: observation.disposition,
            trunk: observation.trunk ?? '',
          })
          break
        case 'verdict':
          verdicts.inc({ verdict: observation.verdict, language: observation.language })
          break
        case 'dialled':
          dialled.observe(observation.afterMs / 1000)
          break
        case 'prompts':
          prompts.observe(observation.ms / 1000)
          break
        case 'lease_lost':
          leasesLost.inc()
      }
    },
    storeUnavailable: () => unavailable.inc(),
    removed(rows: Removed): void {
      for (const kind of ['pins', 'deliveries', 'attempts', 'events'] as const) removed.inc({ kind }, rows[kind])
    },
  }
}
