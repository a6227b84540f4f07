import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setUp, startPincall } from './testbed/running-server.ts'

type Arrived = { channel: string; to: string; code: string }[]

test('no code, key or password stands in anything that the program wrote, and no number in what it keeps', async () => {
  await using pincall = await startPincall({
    env: { PINCALL_LOG_LEVEL: 'trace', PINCALL_ACCOUNT_PASSWORD: 'correct horse battery staple' },
  })
  const codes = new Set<string>()
  const numbers = ['41793026751', '41793026752']
  const written: [where: string, what: Buffer][] = []
  for (const [pinType, language] of [
    ['NUMERIC', 'en'],
    ['ALPHANUMERIC', 'de'],
  ]) {
    const template = { pinType, language, pinLength: 8, messageText: 'Hello {{name}}, {{pin}}', repeatDTMF: '1' }
    const { applicationId, messageId } = await setUp(pincall, { template })
    const to = numbers[pinType === 'NUMERIC' ? 0 : 1]
    const sent = await pincall.call('POST', '/2fa/2/pin', {
      applicationId,
      messageId,
      to,
      placeholders: { name: 'Anna' },
    })
    const { pinId } = sent.body
    const voice = await pincall.call('POST', `/2fa/1/pin/${pinId}/resend/voice`)
    assert.equal(voice.body.callStatus, 'PROCESSED')
    await pincall.call('GET', `/sandbox/pins?to=${to}&channel=voice&wait=30`)
    const arrived: Arrived = JSON.parse((await pincall.call('GET', `/sandbox/pins?to=${to}`)).text)
    assert.deepEqual(arrived.map((each) => each.channel).sort(), ['sms', 'voice'])
    // Digits are heard for sure; letters that sound alike can be mistaken by an ear on a busy machine.
    if (pinType === 'NUMERIC') assert.equal(arrived[0].code, arrived[1].code, 'the same code by both ways')
    for (const { code } of arrived) codes.add(code)
    const wrong = `${arrived[0].code.slice(1)}X`
    codes.add(wrong) // a wrong guess is somebody’s secret too
    const answers = [
      sent,
      voice,
      await pincall.call('POST', `/2fa/1/pin/${pinId}/verify`, { pin: wrong }),
      await pincall.call('POST', `/2fa/1/pin/${pinId}/verify`, `{"pin":"${arrived[0].code}"`), // malformed on purpose
      await pincall.call('GET', `/2fa/1/pin/${pinId}/status`),
      await pincall.call('GET', `/pincall/1/pins/${pinId}/calls`),
    ]
    for (const [i, answer] of answers.entries()) written.push([`answer ${i}`, Buffer.from(answer.text)])
  }
  await pincall.call('GET', '/2fa/2/applications', undefined, {
    authorization: `Basic ${Buffer.from('pincall:correct horse battery staple').toString('base64')}`,
  })
  written.push(['metrics', Buffer.from((await pincall.call('GET', '/metrics')).text)])
  await pincall.stop()
  written.push(['output', Buffer.from(pincall.output())])
  const files = readdirSync(pincall.dataDir, { recursive: true, encoding: 'utf8' })
  assert.ok(files.includes('pincall.db'))
  for (const file of files.filter((name) => !name.endsWith('.key'))) {
    const kept = readFileSync(join(pincall.dataDir, file))
    written.push([file, kept])
    for (const number of numbers) assert.ok(!kept.includes(number.slice(2)), `a number stands in ${file}`)
  }

  assert.ok(codes.size >= 4, `${codes.size} codes`)
  for (const [where, what] of written) {
    for (const code of codes) assert.ok(!what.includes(code), `a code stands in ${where}`)
    if (where !== 'output') assert.ok(!what.includes(pincall.key), `the API key stands in ${where}`)
    assert.ok(!what.includes('correct horse'), `the password stands in ${where}`)
  }
  const lines = pincall
    .output()
    .split('\n')
    .filter((line) => line.startsWith('{'))
  assert.ok(lines.length > 20, 'the log was on')
  for (const line of lines) {
    assert.doesNotMatch(line, /4179302675[12]/, 'numbers lose their last digits in logs')
    assert.ok(!line.includes(pincall.key), 'no key in the log')
  }
})
