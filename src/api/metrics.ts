import { Type } from 'typebox'
import { describe } from './operation.ts'
import type { Api, Wire } from './types.ts'

/** GET /metrics, for Prometheus. */
export function metrics(api: Api, { registry }: Wire): void {
  api.get(
    '/metrics',
    {
      schema: {
        ...describe({ id: 'get-metrics', tag: 'Running it', summary: 'Prometheus metrics', access: 'open' }),
        produces: ['text/plain'],
        response: { 200: Type.String() },
      },
    },
    async (_request, reply) => {
      reply.type(registry.contentType)
      return registry.metrics()
    },
  )
}
