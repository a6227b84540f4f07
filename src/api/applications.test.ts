import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '../errors.ts'
import { DEFAULT_SETTINGS, type NewApplication, type NewTemplate } from '../verification/index.ts'
import { ACCOUNT, application, openWire, refused, template } from './testbed.ts'

const APP = '0933F3BC087D2A617AC6DCB2EF5B8A61'

/** Verbs that keep what they are given. */
const keeping = {
  createApplication: async (_account: string, wanted: NewApplication) =>
    application({ ...wanted, settings: { ...DEFAULT_SETTINGS, ...wanted.settings } }),
  updateApplication: async (_account: string, _id: string, change: Partial<NewApplication>) =>
    application({ ...change, settings: { ...DEFAULT_SETTINGS, ...change.settings } }),
  application: async () => application(),
  applications: async () => [application(), application({ name: 'second' })],
  createTemplate: async (_account: string, _id: string, wanted: NewTemplate) => template(wanted),
  updateTemplate: async (_account: string, _id: string, _template: string, change: Partial<NewTemplate>) =>
    template(change),
  template: async () => template(),
  templates: async () => [template(), template({ templateId: 'SECOND' })],
}

const V1_NUMBERS =
  '"pinTimeToLive":900000,"pinAttempts":10,"verificationAttempts":1,"verificationIntervalLength":3000,"initiationAttempts":3,' +
  '"initiationIntervalLength":86400000,"overallInitiationAttempts":10000,"overallInitiationIntervalLength":86400000'
const V1_CONSTANTS = '"initiationThrottlingProlongationFactor":1,"initiationThrottlingWaitPeriod":0'
const V2_CONFIGURATION =
  '{"pinAttempts":10,"allowMultiplePinVerifications":true,"pinTimeToLive":"15m","verifyPinLimit":"1/3s",' +
  '"sendPinPerApplicationLimit":"10000/1d","sendPinPerPhoneNumberLimit":"3/1d"}'
const PROCESS = 'FF33F3BC087D2A617AC6DCB2EF5B8AFF'

test('an application is answered in the key order of its version and method', async () => {
  await using wired = await openWire(keeping)
  const written = `{"applicationId":"${APP}","name":"shop","configuration":{${V1_NUMBERS},${V1_CONSTANTS}},"enabled":true,"processId":"${PROCESS}"}`
  const read = `{"applicationId":"${APP}","name":"shop","processId":"${PROCESS}","enabled":true,"configuration":{${V1_NUMBERS}}}`
  const v2 = `{"applicationId":"${APP}","name":"shop","configuration":${V2_CONFIGURATION},"enabled":true}`
  const table: [string, string, object | undefined, number, string][] = [
    ['POST', '/2fa/1/applications', { name: 'shop' }, 200, written],
    ['PUT', `/2fa/1/applications/${APP}`, { enabled: true }, 200, written],
    ['PUT', `/2fa/1/applications/${APP}`, {}, 200, written],
    ['GET', `/2fa/1/applications/${APP}`, undefined, 200, read],
    ['GET', '/2fa/1/applications', undefined, 200, `[${read},${read.replace('shop', 'second')}]`],
    ['POST', '/2fa/2/applications', { name: 'shop' }, 201, v2],
    ['PUT', `/2fa/2/applications/${APP}`, { name: 'shop' }, 200, v2],
    ['GET', `/2fa/2/applications/${APP}`, undefined, 200, v2],
    ['GET', '/2fa/2/applications', undefined, 200, `[${v2},${v2.replace('shop', 'second')}]`],
  ]
  for (const [method, path, body, status, text] of table) {
    const answer = await wired.call(method, path, body)
    assert.deepEqual([answer.status, answer.text], [status, text], `${method} ${path}`)
  }
})

test('either dialect is read on either path, and the answer goes by the path', async () => {
  await using wired = await openWire(keeping)
  const numbers = {
    pinTimeToLive: 600_000,
    verificationAttempts: 2,
    verificationIntervalLength: 4000,
    initiationAttempts: 2,
    overallInitiationAttempts: 5000,
    overallInitiationIntervalLength: 43_200_000,
  }
  const texts = {
    pinTimeToLive: 'h',
    verifyPinLimit: '2/4s',
    sendPinPerPhoneNumberLimit: '2/d',
    sendPinPerApplicationLimit: '5000/12h',
    allowMultiplePinVerifications: false,
    pinAttempts: 5,
  }
  const byText = (await wired.call('POST', '/2fa/1/applications', { name: 'x', configuration: texts })).body
    .configuration
  assert.deepEqual(
    [byText.pinTimeToLive, byText.verificationAttempts, byText.overallInitiationIntervalLength],
    [3_600_000, 2, 43_200_000],
  )
  const byNumber = (await wired.call('POST', '/2fa/2/applications', { name: 'x', configuration: numbers })).body
    .configuration
  assert.deepEqual(byNumber, {
    pinAttempts: 10,
    allowMultiplePinVerifications: true,
    pinTimeToLive: '10m',
    verifyPinLimit: '2/4s',
    sendPinPerApplicationLimit: '5000/12h',
    sendPinPerPhoneNumberLimit: '2/1d',
  })
  const verbatim = (await wired.call('POST', '/2fa/2/applications', { name: 'x', configuration: texts })).body
    .configuration
  assert.deepEqual(verbatim, texts, 'what the client wrote is echoed as it wrote it')
})

test('only what is given of a configuration is changed', async () => {
  await using wired = await openWire(keeping)
  await wired.call('PUT', `/2fa/1/applications/${APP}`, { configuration: { verificationAttempts: 9 } })
  assert.deepEqual(wired.asked.at(-1), [
    'updateApplication',
    ACCOUNT,
    APP,
    { settings: { verifyPinLimit: { count: 9, windowMs: 3000 } } },
  ])
  await wired.call('PUT', `/2fa/2/applications/${APP}`, { name: 'n', enabled: false, configuration: null })
  assert.deepEqual(wired.asked.at(-1), ['updateApplication', ACCOUNT, APP, { name: 'n', enabled: false, settings: {} }])
})

test('a configuration that makes no sense is refused with its field', async () => {
  await using wired = await openWire(keeping)
  const table: [field: string, value: unknown][] = [
    ['pinTimeToLive', '366d'],
    ['pinTimeToLive', '0m'],
    ['pinTimeToLive', 'soon'],
    ['pinTimeToLive', '900000'],
    ['pinTimeToLive', 0],
    ['pinTimeToLive', -1],
    ['pinTimeToLive', 1.5],
    ['pinTimeToLive', 31_536_000_001],
    ['pinTimeToLive', true],
    ['verifyPinLimit', '0/0d'],
    ['verifyPinLimit', '1/25h'],
    ['verifyPinLimit', '1'],
    ['verifyPinLimit', 1],
    ['sendPinPerPhoneNumberLimit', '0/1d'],
    ['sendPinPerPhoneNumberLimit', '1/366d'],
    ['sendPinPerApplicationLimit', '4294967296/1d'],
    ['pinAttempts', 0],
    ['pinAttempts', '5'],
    ['pinAttempts', 3e9],
    ['allowMultiplePinVerifications', 'yes'],
    ['verificationIntervalLength', 86_400_001],
    ['initiationIntervalLength', 31_536_000_001],
    ['overallInitiationAttempts', 0],
  ]
  for (const version of [1, 2]) {
    for (const [field, value] of table) {
      const answer = await wired.call('POST', `/2fa/${version}/applications`, {
        name: 'x',
        configuration: { [field]: value },
      })
      assert.equal(answer.status, 400, `${field}: ${value}`)
      const { validationErrors, text } = answer.body.requestError.serviceException
      assert.deepEqual(Object.keys(validationErrors), [`configuration.${field}`])
      assert.ok(text.startsWith(`configuration.${field} must `), text)
    }
  }
  const twice = { verifyPinLimit: '1/3s', verificationAttempts: 1 }
  const answer = await wired.call('POST', '/2fa/2/applications', { name: 'x', configuration: twice })
  assert.match(answer.text, /is given twice: leave out verificationAttempts/)
  assert.deepEqual(wired.asked, [])
})

test('an application has a name; version 2 wants it on a change too', async () => {
  await using wired = await openWire(keeping)
  for (const body of [{}, { name: '' }, { name: '  ' }, { name: null }, { name: 5 }, { name: 'x'.repeat(256) }, []]) {
    for (const [method, path] of [
      ['POST', '/2fa/1/applications'],
      ['POST', '/2fa/2/applications'],
      ['PUT', `/2fa/2/applications/${APP}`],
    ]) {
      assert.equal((await wired.call(method, path, body)).status, 400, `${method} ${path} ${JSON.stringify(body)}`)
    }
  }
  const enabled = await wired.call('POST', '/2fa/2/applications', { name: 'x', enabled: 'true' })
  assert.deepEqual(
    enabled.body,
    refused('BAD_REQUEST', 'enabled must be a boolean.', { enabled: ['must be a boolean'] }),
  )
})

test('set-up of unknown ids is 404 in the words of the version', async () => {
  const lost = async (): Promise<never> => {
    throw notFound('The application')
  }
  await using wired = await openWire({
    application: lost,
    updateApplication: lost,
    template: lost,
    templates: lost,
    createTemplate: lost,
    updateTemplate: lost,
  })
  const body = { name: 'x', pinType: 'NUMERIC', messageText: '{{pin}}', pinLength: 4 }
  for (const [version, messageId] of [
    [1, 'RESOURCE_NOT_FOUND'],
    [2, 'NOT_FOUND'],
  ] as const) {
    const paths = [
      ['GET', 'applications/X'],
      ['PUT', 'applications/X'],
      ['GET', 'applications/X/messages'],
      ['POST', 'applications/X/messages'],
      ['GET', 'applications/X/messages/Y'],
      ['PUT', 'applications/X/messages/Y'],
    ]
    for (const [method, path] of paths) {
      const answer = await wired.call(method, `/2fa/${version}/${path}`, method === 'GET' ? undefined : body)
      assert.deepEqual([answer.status, answer.body], [404, refused(messageId, 'The application cannot be found.')])
    }
  }
})
