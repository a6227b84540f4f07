import { type Static, Type } from 'typebox'
import { invalid } from '../errors.ts'
import { parseMsisdn } from '../msisdn.ts'
import { describe } from './operation.ts'
import { readFlag } from './query-flags.ts'
import { ApplicationParams } from './schemas.ts'
import { PINS } from './scopes.ts'
import type { Api, Wire } from './types.ts'

const flag = (description: string) => Type.Optional(Type.String({ description }))
const filters = {
  verified: flag('`true`: only verified PINs, `false`: only others.'),
  sent: flag('`true`: only PINs that went out, `false`: only others.'),
}
const msisdn = Type.String({
  maxLength: 100,
  description: 'The number; quotes and a plus sign are taken off.',
  examples: ['41793026727'],
})
const QueryV1 = Type.Object({ msisdn: Type.Optional(msisdn), ...filters })
const QueryV2 = Type.Object({ msisdn, ...filters })

const Rows = Type.Array(
  Type.Object({
    msisdn: Type.String(),
    verified: Type.Boolean(),
    verifiedAt: Type.Optional(Type.Integer({ description: 'Milliseconds since 1970.' })),
    sentAt: Type.Optional(Type.Integer({ description: 'Milliseconds since 1970.' })),
  }),
)

/** GET /2fa/{version}/applications/{applicationId}/verifications: a bare array in version 1 (contract §1.9). */
export function getVerifications(api: Api, { guard, verification }: Wire): void {
  const about = { id: 'get-2fa-verification-status', tag: 'PINs', summary: 'Get the verification status' } as const
  const find = async (
    accountId: string,
    applicationId: string,
    query: Static<typeof QueryV1>,
  ): Promise<Static<typeof Rows>> => {
    const verified = readFlag('verified', query.verified)
    const sent = readFlag('sent', query.sent)
    const to = readNumber(query.msisdn)
    const rows = await verification.verifications({
      accountId,
      applicationId,
      ...(to !== undefined && { to }),
      ...(verified !== undefined && { verified }),
      ...(sent !== undefined && { sent }),
    })
    return rows.map((row) => ({
      msisdn: row.to,
      verified: row.verified,
      ...(row.verifiedAt !== undefined && { verifiedAt: row.verifiedAt }),
      ...(row.sentAt !== undefined && { sentAt: row.sentAt }),
    }))
  }

  api.get(
    '/2fa/1/applications/:applicationId/verifications',
    {
      ...guard.scopes(PINS),
      schema: {
        ...describe({ ...about, version: 1 }),
        params: ApplicationParams,
        querystring: QueryV1,
        response: { 200: Rows },
      },
    },
    ({ caller, params, query }) => find(caller.accountId, params.applicationId, query),
  )

  api.get(
    '/2fa/2/applications/:applicationId/verifications',
    {
      ...guard.scopes(PINS),
      schema: {
        ...describe(about),
        params: ApplicationParams,
        querystring: QueryV2,
        response: { 200: Type.Object({ verifications: Rows }) },
      },
    },
    async ({ caller, params, query }) => {
      if (absent(query.msisdn)) throw invalid('msisdn', 'is required')
      return { verifications: await find(caller.accountId, params.applicationId, query) }
    },
  )
}

/** What clients send for a number that they were not given. */
const ABSENT = new Set(['', 'undefined', 'null', 'none'])
const absent = (text = ''): boolean => ABSENT.has(text.replace(/[\s"+]/g, '').toLowerCase())

/** Digits, or the text itself where it is an address of e-mail: no PIN is kept under one, so it finds nothing. */
function readNumber(text: string | undefined): string | undefined {
  if (text === undefined || absent(text)) return undefined
  if (text.includes('@')) return text.trim()
  const number = parseMsisdn(text)
  if (!number) throw invalid('msisdn', 'must be a phone number in international form, such as 41793026727')
  return number.msisdn
}
