import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventPacket, TelephoneEventReceiver, TelephoneEventSender } from './telephone-event.ts'

function press(key: string, timestamp: number, ms = 100): EventPacket[] {
  const sender = new TelephoneEventSender(key, timestamp, ms)
  const packets: EventPacket[] = []
  do packets.push(sender.next(160))
  while (!packets.at(-1)!.last && packets.length < 1000)
  return packets
}

const durationOf = (packet: EventPacket) => (packet.payload[2]! << 8) | packet.payload[3]!
const hasEnd = (packet: EventPacket) => (packet.payload[1]! & 0x80) !== 0
const heard = (packets: EventPacket[]): string[] => {
  const receiver = new TelephoneEventReceiver()
  return packets.flatMap((packet) => receiver.receive(packet.payload, packet.timestamp)?.digit ?? [])
}

test('a press has one timestamp, a marker at its start, a growing duration and its end three times', () => {
  const packets = press('#', 5000)
  assert.deepEqual(packets.map(durationOf), [160, 320, 480, 640, 800, 800, 800])
  assert.deepEqual(packets.map(hasEnd), [false, false, false, false, true, true, true])
  assert.deepEqual(
    packets.map((packet) => packet.marker),
    [true, false, false, false, false, false, false],
  )
  assert.ok(packets.every((packet) => packet.timestamp === 5000 && packet.payload[0] === 11))
})

test('a press is told once, whichever of its packets are lost, doubled or late', () => {
  const one = press('7', 0xffffff00)
  const two = press('7', 0xffffff00 + 1600 - 2 ** 32)
  assert.deepEqual(heard([...one, ...two]), ['7', '7'])
  assert.deepEqual(heard([...one.slice(2, 4), ...two.slice(6)]), ['7', '7'], 'starts and ends lost')
  assert.deepEqual(heard([one[0]!, one[0]!, ...one, two[0]!, one[6]!, ...two]), ['7', '7'], 'doubled, and one late')
})

test('a key held longer than the duration can say is one press', () => {
  const receiver = new TelephoneEventReceiver()
  const segment = (timestamp: number, duration: number, end = 0) =>
    receiver.receive(Uint8Array.of(5, end, duration >> 8, duration & 0xff), timestamp)?.digit
  assert.equal(segment(1000, 160), '5')
  assert.equal(segment(1000, 0xffff), undefined)
  assert.equal(segment(1000 + 0xffff, 160), undefined)
  assert.equal(segment(1000 + 0xffff, 800, 0x80), undefined)
  assert.equal(segment(1000 + 0xffff + 1600, 160), '5')
})

test('events that are no keys, and payloads that are too short, are nothing', () => {
  const receiver = new TelephoneEventReceiver()
  assert.equal(receiver.receive(Uint8Array.of(16, 10, 0, 160), 1), undefined)
  assert.equal(receiver.receive(Uint8Array.of(255, 10, 0, 160), 2000), undefined)
  assert.equal(receiver.receive(Uint8Array.of(1, 10, 0), 4000), undefined)
})
