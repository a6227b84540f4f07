import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressOf, parseNameAddress, parseUri, userOf } from './uri.ts'

const URIS: [text: string, meaning: string | undefined][] = [
  ['sip:41790000000@127.0.0.1:5070', '41790000000 127.0.0.1 5070'],
  ['SIP:Alice@Example.COM', 'Alice example.com 5060'],
  ['sip:example.com', ' example.com 5060'],
  ['sip:a:secret@h;transport=udp?subject=x', 'a h 5060'],
  ['sip:+1-555;phone-context=x@h:65535', '+1-555;phone-context=x h 65535'],
  ['sip:u@[2001:db8::9:1]:5080;lr', 'u 2001:db8::9:1 5080'],
  ['sip:u@h;maddr=192.0.2.7', 'u 192.0.2.7 5060'],
  ['sip:null-%00-null@h', 'null-%00-null h 5060'],
  ['sip:u@[nonsense]', undefined],
  ['sip:u@h:0', undefined],
  ['sip:u@h:65536', undefined],
  ['sip:u@', undefined],
  ['sip:u@h;x="y"', undefined],
  ['sip:u@h?a b', undefined],
  ['sip:u@h\r\nVia: x', undefined],
  ['http://h', undefined],
  ['', undefined],
]
for (const [text, meaning] of URIS) {
  test(`${JSON.stringify(text)} ${meaning === undefined ? 'is no SIP URI' : `means ${meaning}`}`, () => {
    const address = addressOf(text)
    const read = address && `${parseUri(text)?.user ?? ''} ${address.host} ${address.port}`
    assert.equal(read, meaning)
  })
}

test('a user part is read with its escapes resolved, a telephone URI by its number', () => {
  assert.equal(userOf('sip:%61lice%C3%A9@h'), 'aliceé')
  assert.equal(userOf('sip:100%zz@h'), '100%zz')
  assert.equal(userOf('tel:+41790000000;phone-context=x'), '+41790000000')
})

const NAME_ADDRESSES: [text: string, uri: string | undefined, tag?: string, name?: string][] = [
  ['<sip:a@h>;tag=1', 'sip:a@h', '1'],
  ['sip:a@h;tag=2', 'sip:a@h', '2'],
  ['Bob Smith <sip:a@h;tag=inside>;TAG=3', 'sip:a@h;tag=inside', '3', 'Bob Smith'],
  ['"A \\"b\\" <sip:not@this>" <sip:a@h>;tag=4', 'sip:a@h', '4', 'A "b" <sip:not@this>'],
  ['"" <sip:a@h> ; x ; tag = 5', 'sip:a@h', '5'],
  ['"never closed <sip:a@h>', undefined],
  ['<sip:a@h', undefined],
  ['a@h', undefined],
  ['<>', undefined],
]
for (const [text, uri, tag, name] of NAME_ADDRESSES) {
  test(`${text} is ${uri ?? 'no address'}`, () => {
    const read = parseNameAddress(text)
    assert.deepEqual([read?.uri, read?.params.get('tag'), read?.displayName], [uri, tag, name])
  })
}
