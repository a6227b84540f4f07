import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { test } from 'node:test'
import { waitForPin } from '../src/testing.ts'
import { startPincall } from './testbed/running-server.ts'

const { AuthType, Infobip } = createRequire(import.meta.url)('@infobip-api/sdk') as typeof import('@infobip-api/sdk')

test('Infobip’s own Node SDK, unmodified, drives the whole flow: only the base URL is ours', async () => {
  await using pincall = await startPincall()
  const infobip = new Infobip({ baseUrl: pincall.url, authType: AuthType.ApiKey, apiKey: pincall.key })
  const { twoFA } = infobip.service

  const application = await twoFA.createApplication({
    name: 'sdk',
    enabled: true,
    configuration: { verifyPinLimit: '10/1s' },
  })
  assert.equal(application.status, 201)
  const { applicationId } = application.data
  assert.equal((await twoFA.getApplications()).data.length, 1)
  assert.equal((await twoFA.getApplication(applicationId)).data.name, 'sdk')
  const renamed = await twoFA.updateApplication(applicationId, { name: 'renamed' })
  assert.equal(renamed.data.name, 'renamed')
  assert.equal(renamed.data.configuration.verifyPinLimit, '10/1s', 'what was not given stays')

  const template = await twoFA.createMessageTemplate(applicationId, {
    pinType: 'NUMERIC',
    pinPlaceholder: '{{pin}}',
    messageText: 'Hello {{firstName}}, your pin is {{pin}}',
    pinLength: 4,
    language: 'en',
    senderId: 'Infobip 2FA',
    repeatDTMF: '1#',
    speechRate: 1,
  })
  assert.equal(template.status, 200)
  const { messageId } = template.data
  assert.equal((await twoFA.getMessageTemplates(applicationId)).data.length, 1)
  assert.equal((await twoFA.getMessageTemplate(applicationId, messageId)).data.repeatDTMF, '1#')
  assert.equal((await twoFA.updateMessageTemplate(applicationId, messageId, { pinLength: 5 })).data.pinLength, 5)

  const to = '41793026741'
  const placeholders = { firstName: 'Anna' }
  const sent = await twoFA.sendPINCodeSMS({ applicationId, messageId, to, placeholders })
  assert.equal(sent.data.smsStatus, 'MESSAGE_SENT')
  const { pinId } = sent.data
  const resent = await twoFA.resendPINCodeVoice(pinId, {})
  assert.deepEqual(resent.data, { pinId, to, callStatus: 'PENDING_ACCEPTED' })

  const heard = await waitForPin(to, { url: pincall.url, channel: 'voice' })
  const wrong = await twoFA.verifyPhoneNumber(pinId, { pin: 'x' })
  assert.deepEqual(wrong.data, { pinId, msisdn: to, verified: false, attemptsRemaining: 9, pinError: 'WRONG_PIN' })
  const verified = await twoFA.verifyPhoneNumber(pinId, { pin: heard.code })
  assert.deepEqual(verified.data, { pinId, msisdn: to, verified: true, attemptsRemaining: 0 })

  const status = await twoFA.getVerificationStatus(applicationId, { msisdn: to, verified: true })
  assert.equal(status.data.verifications[0].msisdn, to)
  assert.equal(status.data.verifications[0].verified, true)

  const voice = await twoFA.sendPINCodeVoice({ applicationId, messageId, to: '41793026791', placeholders })
  assert.equal(voice.data.callStatus, 'PENDING_ACCEPTED')
  const again = await twoFA.resendPINCodeSMS(pinId)
  assert.equal(again.response.status, 400, 'a verified PIN is not sent again')
  assert.equal(again.response.data.requestError.serviceException.messageId, 'BAD_REQUEST')
})
