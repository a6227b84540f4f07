import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { openWire, type Wired } from './testbed.ts'

type Schema = {
  $ref?: string
  required?: string[]
  properties?: Record<string, Schema>
  items?: Schema
  type?: unknown
}
type Content = Record<string, { schema: Schema }>
type Operation = {
  operationId: string
  summary: string
  tags: string[]
  security: Record<string, string[]>[]
  parameters?: { in: string; name: string; required: boolean }[]
  requestBody?: { required: boolean; content: Content }
  responses: Record<string, { description: string; content?: Content }>
}
type Document = {
  openapi: string
  info: { title: string; version: string }
  tags: { name: string }[]
  paths: Record<string, Record<string, Operation>>
  components: { securitySchemes: Record<string, { type: string }>; schemas: Record<string, Schema> }
}

describe('the description of the API', () => {
  let wired: Wired
  let document: Document
  let routes: Set<string>
  before(async () => {
    wired = await openWire()
    const answer = await wired.call('GET', '/openapi.json', undefined, { authorization: '' })
    assert.equal(answer.status, 200)
    document = answer.body
    routes = routesOf(wired.api.printRoutes({ commonPrefix: false, includeHooks: false }))
  })
  after(() => wired[Symbol.asyncDispose]())
  const operations = () =>
    Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
    )

  test('is OpenAPI 3.1 and names what it describes', () => {
    assert.match(document.openapi, /^3\.1\./)
    assert.equal(document.info.title, 'Pincall')
    assert.match(document.info.version, /^\d+\.\d+\.\d+/)
  })

  test('has every route that there is, and none that is not', () => {
    const described = new Set(
      operations().map(({ path, method }) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ':$1')}`),
    )
    assert.ok(routes.size >= 40, [...routes].join('\n'))
    assert.deepEqual([...described].sort(), [...routes].sort())
  })

  test('has the contract’s operation ids, each once', () => {
    const ids = operations().map(({ operation }) => operation.operationId)
    assert.equal(new Set(ids).size, ids.length)
    const contract: [string, string, string][] = [
      ['get', '/2fa/2/applications', 'get-2fa-applications'],
      ['post', '/2fa/2/applications', 'create-2fa-application'],
      ['get', '/2fa/2/applications/{applicationId}', 'get-2fa-application'],
      ['put', '/2fa/2/applications/{applicationId}', 'update-2fa-application'],
      ['get', '/2fa/2/applications/{applicationId}/messages', 'get-2fa-message-templates'],
      ['post', '/2fa/2/applications/{applicationId}/messages', 'create-2fa-message-template'],
      ['get', '/2fa/2/applications/{applicationId}/messages/{messageId}', 'get-2fa-message-template'],
      ['put', '/2fa/2/applications/{applicationId}/messages/{messageId}', 'update-2fa-message-template'],
      ['post', '/2fa/2/pin', 'send-2fa-pin-code-over-sms'],
      ['post', '/2fa/2/pin/{pinId}/resend', 'resend-2fa-pin-code-over-sms'],
      ['post', '/2fa/2/pin/voice', 'send-2fa-pin-code-over-voice'],
      ['post', '/2fa/2/pin/{pinId}/resend/voice', 'resend-2fa-pin-code-over-voice'],
      ['post', '/2fa/2/pin/{pinId}/verify', 'verify-2fa-phone-number'],
      ['get', '/2fa/2/applications/{applicationId}/verifications', 'get-2fa-verification-status'],
    ]
    for (const [method, path, id] of contract) {
      assert.equal(document.paths[path][method].operationId, id)
      assert.equal(document.paths[path.replace('/2fa/2', '/2fa/1')][method].operationId, `${id}-v1`)
    }
    assert.ok(document.paths['/2fa/2/applications'].post.responses['201'])
    assert.ok(document.paths['/2fa/1/applications'].post.responses['200'])
  })

  test('every operation says what it is, who may, what comes back, and how it is refused', () => {
    const tags = new Set(document.tags.map(({ name }) => name))
    const schemes = Object.keys(document.components.securitySchemes)
    assert.deepEqual(schemes.sort(), ['APIKeyHeader', 'Basic', 'IBSSOTokenHeader', 'OAuth2'])
    for (const { path, operation } of operations()) {
      assert.ok(operation.summary, path)
      assert.ok(operation.tags.length === 1 && tags.has(operation.tags[0]), path)
      for (const scheme of operation.security.flatMap(Object.keys)) assert.ok(schemes.includes(scheme), path)
      assert.ok(
        Object.keys(operation.responses).some((status) => status.startsWith('2')),
        path,
      )
      for (const status of ['400', '401', '4XX', '5XX']) {
        assert.deepEqual(
          operation.responses[status]?.content?.['application/json'].schema,
          { $ref: '#/components/schemas/ApiException' },
          path,
        )
      }
      for (const response of Object.values(operation.responses)) {
        assert.ok(response.description && response.description !== 'Default Response', path)
      }
      const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name)
      const named = (operation.parameters ?? []).filter((each) => each.in === 'path').map((each) => each.name)
      assert.deepEqual(named, inPath, path)
    }
  })

  test('every reference leads somewhere', () => {
    const text = JSON.stringify(document)
    const references = [...text.matchAll(/"\$ref":"([^"]*)"/g)].map(([, reference]) => reference)
    assert.ok(references.length > 100)
    for (const reference of new Set(references)) {
      const name = /^#\/components\/schemas\/(\w+)$/.exec(reference)?.[1]
      assert.ok(name && document.components.schemas[name], reference)
    }
    assert.ok(!text.includes('"$id"') && !text.includes('x-always'))
  })

  test('a body may be left out where nothing in it is needed', () => {
    assert.equal(document.paths['/2fa/1/pin/{pinId}/resend/voice'].post.requestBody?.required, false)
    assert.equal(document.paths['/2fa/2/pin'].post.requestBody?.required, true)
    assert.deepEqual(document.components.schemas.StartAuthenticationRequest.required, [
      'applicationId',
      'messageId',
      'to',
    ])
    assert.deepEqual(document.components.schemas.StartAuthenticationResponse.required, ['pinId', 'to', 'smsStatus'])
  })

  test('its examples are taken by the operations that they are examples of', async () => {
    const schemas = document.components.schemas as Record<string, Schema & { examples?: unknown[] }>
    for (const { path, method, operation } of operations()) {
      const name = Object.values(operation.requestBody?.content ?? {})[0]
        ?.schema.$ref?.split('/')
        .at(-1)
      for (const example of (name && schemas[name].examples) || []) {
        const answer = await wired.call(method.toUpperCase(), path.replace(/\{(\w+)\}/g, '$1'), example)
        assert.notEqual(answer.status, 400, `${method} ${path} ${JSON.stringify(example)}: ${answer.text}`)
      }
    }
  })

  test('the page at /docs comes whole from here and reads this description', async () => {
    const page = await wired.call('GET', '/docs', undefined, { authorization: '' })
    assert.equal(page.status, 200)
    assert.match(String(page.headers['content-security-policy']), /default-src 'self'/)
    assert.ok(
      !String(page.headers['content-security-policy']).includes('upgrade-insecure-requests'),
      'it is served over HTTP',
    )
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, file]) => file)
    assert.ok(files.length >= 5)
    for (const file of files) {
      assert.match(file, /^\/docs\//, 'no other host')
      assert.equal((await wired.call('GET', file, undefined, { authorization: '' })).status, 200, file)
    }
    const described = await wired.call('GET', '/docs/json', undefined, { authorization: '' })
    assert.deepEqual(described.body, document)
  })
})

/** Fastify's own list of routes, less what it adds by itself (HEAD) and the pages that show the description. */
function routesOf(printed: string): Set<string> {
  const found = new Set<string>()
  const parts: string[] = []
  for (const line of printed.split('\n')) {
    const match = /^((?:│ {3}| {4})*)(?:├── |└── )(.*?)(?: \((.*)\))?$/.exec(line)
    if (!match) continue
    const [, indent, part, methods] = match
    parts.length = indent.length / 4
    parts.push(part)
    const url = parts.join('').replace(/(.)\/$/, '$1')
    const hidden = url.startsWith('/docs') || url === '/openapi.json'
    for (const method of methods?.split(', ') ?? []) if (method !== 'HEAD' && !hidden) found.add(`${method} ${url}`)
  }
  return found
}
