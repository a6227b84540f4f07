import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { readEvents, type StreamEvent } from './wire.ts'

const STREAM = [
  ': a comment keeps the line open\n\n',
  'id: 7\nevent: progress\ndata: {"step":"ringing"}\n\n',
  'retry: 3000\n\n',
  'data: two\r\ndata: lines – é\r\n\r\n',
  'event: empty\n\n',
  'event: progress\ndata:{"step":"ended"}\n\ndata: cut off by the end',
].join('')

const EVENTS: StreamEvent[] = [
  { name: 'progress', data: '{"step":"ringing"}' },
  { name: 'message', data: 'two\nlines – é' },
  { name: 'progress', data: '{"step":"ended"}' },
]

async function read(chunks: Uint8Array[]): Promise<StreamEvent[]> {
  const events: StreamEvent[] = []
  for await (const event of readEvents(ReadableStream.from(chunks) as ReadableStream<Uint8Array>)) events.push(event)
  return events
}

test('events are read the same wherever the network cuts the stream', async () => {
  const bytes = new TextEncoder().encode(STREAM)
  assert.deepEqual(await read([bytes]), EVENTS)
  assert.deepEqual(await read([...bytes].map((byte) => Uint8Array.of(byte))), EVENTS)
  await fc.assert(
    fc.asyncProperty(fc.uniqueArray(fc.nat(bytes.length), { maxLength: 12 }), async (cuts) => {
      const at = [0, ...cuts.sort((a, b) => a - b), bytes.length]
      assert.deepEqual(await read(at.slice(1).map((end, i) => bytes.subarray(at[i], end))), EVENTS)
    }),
    { numRuns: 60 },
  )
})
