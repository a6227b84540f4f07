import { createRequire } from 'node:module'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifySchema } from 'fastify'
import { SECURITY_SCHEMES, TAGS } from './operation.ts'
import { ERRORS, NAMED_SCHEMAS } from './schemas.ts'
import type { Api } from './types.ts'

const { version } = createRequire(import.meta.url)('../../package.json') as { version: string }

const DESCRIPTION =
  'Phone verification on your own machines: one-time PINs by real phone calls and SMS, over Infobip’s 2FA API. ' +
  'Press **Authorize** and paste the API key to try every operation here.'

type Operation = {
  requestBody?: { required?: boolean; content: Record<string, { schema: { $ref?: string } }> }
  responses?: Record<string, { description: string; content?: Record<string, object> }>
}
type NamedSchema = { required?: string[]; 'x-always'?: string[] }

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
    transform: ({ schema, url }) => ({ schema: withErrors(schema), url }),
    transformObject: (document) => ('openapiObject' in document ? polished(document.openapiObject) : {}),
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

/** Errors are written by one hand, so no operation has serialisers for them; described they are with each. */
const withErrors = (schema: FastifySchema): FastifySchema =>
  schema?.security ? { ...schema, response: { ...(schema.response as object), ...ERRORS } } : schema

/** What the generator can not know: what is always in an answer, which bodies may be left out, what success means. */
function polished<Document extends { paths?: object; components?: object }>(document: Document): Document {
  const { schemas = {} } = (document.components ?? {}) as { schemas?: Record<string, NamedSchema> }
  for (const schema of Object.values(schemas)) {
    const always = schema['x-always']
    delete schema['x-always']
    if (always && always.length > 0) schema.required = always
  }
  for (const path of Object.values(document.paths ?? {})) {
    for (const { requestBody, responses = {} } of Object.values(path as Record<string, Operation>)) {
      if (requestBody) requestBody.required = wantsSomething(requestBody, schemas)
      for (const [status, response] of Object.entries(responses)) {
        if (response.description === 'Default Response')
          response.description = status.startsWith('2') ? 'Done.' : 'Not now.'
        // An operation that produces something else than JSON still refuses in JSON.
        if (/^[45]/.test(status)) response.content = { 'application/json': Object.values(response.content ?? {})[0] }
      }
    }
  }
  return document
}

function wantsSomething(
  { content }: NonNullable<Operation['requestBody']>,
  schemas: Record<string, NamedSchema>,
): boolean {
  const names = Object.values(content).map(({ schema }) => schema.$ref?.split('/').at(-1) ?? '')
  return names.some((name) => (schemas[name]?.required ?? []).length > 0)
}
