import type { Settings } from './config.ts'
import type { RouteRule, Trunk } from './routing/index.ts'

/** The number shown by sandbox calls: Ofcom keeps this range for fiction. */
const SANDBOX_CALLER = '447700900123'

/** The trunks and routing table of an installation: the operator's, and the sandbox's own carrier for all other numbers. */
export function peerings(
  settings: Settings,
  sandboxTrunks: readonly { name: string; host: string; port: number }[],
): { trunks: Trunk[]; rules: RouteRule[] } {
  const trunks: Trunk[] = structuredClone(settings.trunks) as Trunk[]
  const rules: RouteRule[] = structuredClone(settings.routes) as RouteRule[]
  for (const { name, host, port } of sandboxTrunks) {
    trunks.push({
      name,
      host,
      port,
      numberFormat: 'plus',
      codecs: ['PCMU', 'PCMA'],
      ringTimeoutMs: settings.sandbox.ringTimeoutMs,
      noResponseMs: 4000,
      callsPerSecond: 1000,
      concurrency: 1000,
    })
  }
  if (sandboxTrunks.length > 0 && !rules.some((rule) => rule.prefix === '')) {
    rules.push({
      prefix: '',
      trunks: sandboxTrunks.map((trunk) => trunk.name),
      pricePerMinute: settings.sandbox.pricePerMinute,
      incrementS: 1,
      caller: SANDBOX_CALLER,
    })
  }
  return { trunks, rules }
}
