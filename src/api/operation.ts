import type { Version } from './types.ts'

export const TAGS = [
  { name: 'Resend over voice', description: 'The same PIN once more, by a phone call.' },
  { name: 'PINs', description: 'Send, resend, verify.' },
  { name: 'Applications', description: 'Limits and life times of a family of PINs.' },
  { name: 'Message templates', description: 'What is written or said around the PIN.' },
  { name: 'Access', description: 'API keys, sessions and tokens.' },
  { name: 'Pincall', description: 'What Pincall adds: calls with their evidence, the event stream, the balance.' },
  { name: 'Running it', description: 'Health and metrics; no key needed.' },
] as const
export type Tag = (typeof TAGS)[number]['name']

export const SECURITY_SCHEMES = {
  APIKeyHeader: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: 'The API key: `App <key>`, or the key alone.',
  },
  Basic: { type: 'http', scheme: 'basic', description: 'User and password of the account.' },
  IBSSOTokenHeader: {
    type: 'apiKey',
    in: 'header',
    name: 'Authorization',
    description: '`IBSSO <token>`, the token of POST /auth/1/session.',
  },
  OAuth2: {
    type: 'oauth2',
    description: '`Bearer <token>`; client id and secret are user and password of the account.',
    flows: { clientCredentials: { tokenUrl: '/auth/1/oauth2/token', scopes: {} } },
  },
} as const

type Schemes = Record<string, string[]>[]
const ANY_SCHEME: Schemes = [{ APIKeyHeader: [] }, { Basic: [] }, { IBSSOTokenHeader: [] }, { OAuth2: [] }]
const LOGIN_ONLY: Schemes = [{ Basic: [] }, { IBSSOTokenHeader: [] }, { OAuth2: [] }]

type Described = {
  /** The contract's operationId; version 1, which has none, is told apart by `-v1`. */
  id: string
  tag: Tag
  summary: string
  description?: string
  access?: 'any' | 'login' | 'open'
  version?: Version
}

/** What the API's description says of an operation beside its schemas. */
export function describe({ id, tag, summary, description, access = 'any', version }: Described) {
  return {
    operationId: version === 1 ? `${id}-v1` : id,
    tags: [tag],
    summary,
    ...(description && { description }),
    security: access === 'open' ? [] : access === 'login' ? LOGIN_ONLY : ANY_SCHEME,
  }
}
