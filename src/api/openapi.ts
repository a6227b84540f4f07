import { createRequire } from 'node:module'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import { SECURITY_SCHEMES, TAGS } from './operation.ts'
import { NAMED_SCHEMAS } from './schemas.ts'
import type { Api } from './types.ts'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

const DESCRIPTION =
  'Phone verification on your own machines: one-time PINs by real phone calls and SMS, over Infobip’s 2FA API. ' +
  'Press **Authorize** and paste the API key to try every operation here.'

type Operation = { requestBody?: { required?: boolean; content: Record<string, { schema: { $ref?: string } }> } }

/** GET /openapi.json and /docs, from the schemas that validate and serialise. Must come before the operations. */
export async function describeApi(api: Api): Promise<void> {
  for (const schema of NAMED_SCHEMAS) api.addSchema(schema)
  await api.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Pincall', version, description: DESCRIPTION },
      servers: [{ url: '/' }],
      tags: [...TAGS],
      components: { securitySchemes: SECURITY_SCHEMES },
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => String(json.$id ?? `Schema${i}`) },
    transformObject: (document) => ('openapiObject' in document ? withOptionalBodies(document.openapiObject) : {}),
  })
  await api.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', tryItOutEnabled: true, displayRequestDuration: true },
    theme: { title: 'Pincall API' },
    staticCSP: {
      'default-src': ["'self'"],
      'img-src': ["'self'", 'data:'],
      'style-src': ["'self'", "'unsafe-inline'"], // Swagger UI sets styles on elements
      'object-src': ["'none'"],
      'frame-ancestors': ["'none'"],
      'base-uri': ["'self'"],
    },
  })
  let written: string | undefined
  api.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => {
    written ??= JSON.stringify(api.swagger())
    reply.type('application/json; charset=utf-8')
    return written
  })
}

/** Fastify calls every described body required; ours may be left out where it wants nothing. */
function withOptionalBodies<Document extends { paths?: object; components?: object }>(document: Document): Document {
  const schemas =
    (document.components as { schemas?: Record<string, { required?: string[] }> } | undefined)?.schemas ?? {}
  for (const path of Object.values(document.paths ?? {})) {
    for (const { requestBody } of Object.values(path as Record<string, Operation>)) {
      if (!requestBody) continue
      const names = Object.values(requestBody.content).map(({ schema }) => schema.$ref?.split('/').at(-1) ?? '')
      requestBody.required = names.some((name) => (schemas[name]?.required ?? []).length > 0)
    }
  }
  return document
}
