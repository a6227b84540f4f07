import assert from 'node:assert/strict'
import { test } from 'node:test'
import { notFound } from '../errors.ts'
import { DEFAULT_SETTINGS, type NewApplication, type NewTemplate } from '../verification/index.ts'
import { ACCOUNT, application, openWire, refused, template } from './testbed.ts'

const APP = '0933F3BC087D2A617AC6DCB2EF5B8A61'
const MSG = 'B628A31410306DDB2BFB0D9CF1F3A3FF'

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

test('a template is answered in the key order of its version', async () => {
  await using wired = await openWire(keeping)
  const full = {
    pinType: 'ALPHANUMERIC',
    messageText: 'Your pin is {{pin}}',
    pinLength: 4,
    language: 'en',
    voiceName: 'Joanna',
    senderId: 'Infobip 2FA',
    repeatDTMF: '1#',
    speechRate: 1.5,
    regional: { indiaDlt: { contentTemplateId: 't', principalEntityId: 'p', teleMarketerId: 'm' } },
  }
  const head = `{"messageId":"${MSG}","applicationId":"${APP}","pinPlaceholder":"{{pin}}","messageText":"Your pin is {{pin}}","pinLength":4,"pinType":"ALPHANUMERIC"`
  const regional = `"regional":{"indiaDlt":{"contentTemplateId":"t","principalEntityId":"p","teleMarketerId":"m"}}`
  const v1 = `${head},"sender":"Infobip 2FA","language":"en","voiceName":"Joanna","repeatDTMF":"1#","speechRate":1.5,${regional}}`
  const v2 = `${head},"language":"en","voiceName":"Joanna","senderId":"Infobip 2FA","repeatDTMF":"1#","speechRate":1.5,${regional}}`
  for (const [version, text] of [
    [1, v1],
    [2, v2],
  ] as const) {
    for (const [method, path] of [
      ['POST', `/2fa/${version}/applications/${APP}/messages`],
      ['PUT', `/2fa/${version}/applications/${APP}/messages/${MSG}`],
    ]) {
      const answer = await wired.call(method, path, full)
      assert.deepEqual([answer.status, answer.text], [200, text], `${method} ${path}`)
    }
  }
})

test('templates are read one by one and as a bare array, with what is set', async () => {
  await using wired = await openWire(keeping)
  for (const version of [1, 2]) {
    const one = await wired.call('GET', `/2fa/${version}/applications/${APP}/messages/${MSG}`)
    assert.equal(
      one.text,
      `{"messageId":"${MSG}","applicationId":"${APP}","pinPlaceholder":"{{pin}}","messageText":"Your pin is {{pin}}","pinLength":4,"pinType":"NUMERIC"}`,
    )
    const all = await wired.call('GET', `/2fa/${version}/applications/${APP}/messages`)
    assert.deepEqual(
      all.body.map((each: { messageId: string }) => each.messageId),
      [MSG, 'SECOND'],
    )
  }
})

test('a template of 2015 keeps its own placeholder and its sender', async () => {
  await using wired = await openWire(keeping)
  const body = {
    pinPlaceholder: '<pin>',
    pinType: 'HEXA',
    messageText: 'Your pin is <pin>',
    pinLength: 8,
    sender: 'Shop',
  }
  const answer = await wired.call('POST', `/2fa/1/applications/${APP}/messages`, body)
  assert.deepEqual(
    [answer.body.pinPlaceholder, answer.body.messageText, answer.body.pinType, answer.body.sender],
    ['<pin>', 'Your pin is <pin>', 'HEX', 'Shop'],
  )
})

test('a language is read in both spellings and answered with an underscore', async () => {
  await using wired = await openWire(keeping)
  for (const language of ['pt-br', 'pt_br', 'PT-BR']) {
    const body = { pinType: 'NUMERIC', messageText: '{{pin}}', language }
    const answer = await wired.call('POST', `/2fa/2/applications/${APP}/messages`, body)
    assert.deepEqual([answer.body.language, answer.body.pinLength], ['pt_br', 4], 'and the length has a default')
  }
})

test('older clients of version 2 may send pinPlaceholder, and anybody unknown fields', async () => {
  await using wired = await openWire(keeping)
  const body = {
    pinType: 'NUMERIC',
    messageText: 'is {{pin}}',
    pinPlaceholder: '{{pin}}',
    pinLength: 6,
    colour: 'red',
    voiceName: null,
  }
  const answer = await wired.call('POST', `/2fa/2/applications/${APP}/messages`, body)
  assert.equal(answer.status, 200)
  assert.equal((wired.asked[0][3] as { colour?: string }).colour, undefined)
})

test('a template that makes no sense is refused with its field', async () => {
  await using wired = await openWire(keeping)
  const good = { pinType: 'NUMERIC', messageText: 'is {{pin}}', pinLength: 4 }
  const indiaDlt = (change: object) => ({ indiaDlt: { principalEntityId: 'p', ...change } })
  const table: [change: object, field: string][] = [
    [{ messageText: 'nothing' }, 'messageText'],
    [{ messageText: '' }, 'messageText'],
    [{ messageText: '{{ pin }}' }, 'messageText'],
    [{ messageText: 'x {{pin}}'.repeat(500) }, 'messageText'],
    [{ messageText: 'is <x>', pinPlaceholder: '<pin>' }, 'messageText'],
    [{ pinPlaceholder: '' }, 'pinPlaceholder'],
    [{ pinType: 'EMOJI' }, 'pinType'],
    [{ pinType: 'numeric' }, 'pinType'],
    [{ pinLength: 0 }, 'pinLength'],
    [{ pinLength: 9 }, 'pinLength'],
    [{ pinLength: '4' }, 'pinLength'],
    [{ language: 'xx' }, 'language'],
    [{ language: 5 }, 'language'],
    [{ speechRate: 0.4 }, 'speechRate'],
    [{ speechRate: 2.1 }, 'speechRate'],
    [{ speechRate: '1' }, 'speechRate'],
    [{ repeatDTMF: 'abc' }, 'repeatDTMF'],
    [{ repeatDTMF: '' }, 'repeatDTMF'],
    [{ repeatDTMF: '1'.repeat(13) }, 'repeatDTMF'],
    [{ regional: 'in' }, 'regional'],
    [{ regional: { indiaDlt: {} } }, 'regional.indiaDlt.principalEntityId'],
    [{ regional: indiaDlt({ principalEntityId: 'x'.repeat(31) }) }, 'regional.indiaDlt.principalEntityId'],
    [{ regional: indiaDlt({ contentTemplateId: 'x'.repeat(31) }) }, 'regional.indiaDlt.contentTemplateId'],
    [{ regional: indiaDlt({ teleMarketerId: 'x'.repeat(256) }) }, 'regional.indiaDlt.teleMarketerId'],
  ]
  for (const version of [1, 2]) {
    for (const [change, field] of table) {
      const answer = await wired.call('POST', `/2fa/${version}/applications/${APP}/messages`, { ...good, ...change })
      assert.equal(answer.status, 400, JSON.stringify(change))
      assert.deepEqual(Object.keys(answer.body.requestError.serviceException.validationErrors), [field])
    }
  }
  const missing = await wired.call('POST', `/2fa/1/applications/${APP}/messages`, {})
  assert.deepEqual(Object.keys(missing.body.requestError.serviceException.validationErrors), [
    'pinType',
    'messageText',
    'pinLength',
  ])
  assert.deepEqual(wired.asked, [])
})

test('a change of a template is held to the placeholder that it will have', async () => {
  await using wired = await openWire({
    ...keeping,
    template: async () => template({ text: 'is <pin>', placeholder: '<pin>' }),
  })
  const change = (body: object) => wired.call('PUT', `/2fa/1/applications/${APP}/messages/${MSG}`, body)
  assert.equal((await change({ messageText: 'new <pin>' })).body.pinPlaceholder, '<pin>')
  assert.equal((await change({ messageText: 'new {{pin}}' })).body.pinPlaceholder, '{{pin}}', 'a client of version 2')
  assert.equal((await change({ speechRate: 2 })).status, 200)
  const text = await change({ messageText: 'new' })
  assert.deepEqual(
    text.body,
    refused('INVALID_ARGUMENT', 'messageText must contain <pin>.', { messageText: ['must contain <pin>'] }),
  )
  assert.equal((await change({ pinPlaceholder: '<code>' })).status, 400, 'the old text lacks it')
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
