import { Type } from 'typebox'
import { describe } from './operation.ts'
import type { Api, Wire } from './types.ts'

const Health = Type.Object({
  live: Type.Boolean(),
  ready: Type.Boolean(),
  reason: Type.Optional(Type.String()),
})

/** GET /healthz: that it answers is liveness, its status is readiness. */
export function health(api: Api, { readiness }: Wire): void {
  api.get(
    '/healthz',
    {
      schema: {
        ...describe({ id: 'get-health', tag: 'Running it', summary: 'Is it alive, is it ready', access: 'open' }),
        response: { 200: Health, 503: Health },
      },
    },
    async (_request, reply) => {
      const { ready, reason } = readiness()
      if (!ready) reply.code(503).header('retry-after', '5')
      return { live: true, ready, ...(reason && { reason }) }
    },
  )
}
