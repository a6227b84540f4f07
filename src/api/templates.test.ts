import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DEFAULT_SETTINGS, type NewApplication, type NewTemplate } from '../verification/index.ts'
import { application, openWire, refused, template } from './testbed.ts'

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
