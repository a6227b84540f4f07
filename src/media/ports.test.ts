import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../random.ts'
import { PortCircle } from './ports.ts'

const random = seededRandom('ports')
const takeAll = (circle: PortCircle) => Array.from({ length: circle.size }, () => circle.take()!)

test('workers divide the even ports of the range between them', () => {
  const range = { from: 10_001, to: 10_020 }
  const shares = [0, 1, 2].map((share) => takeAll(new PortCircle(range, share, 3, random)))
  const all = shares.flat().sort((a, b) => a - b)
  assert.deepEqual(all, [10_002, 10_004, 10_006, 10_008, 10_010, 10_012, 10_014, 10_016, 10_018])
})

test('a port whose odd neighbour lies outside the range is not used', () => {
  assert.deepEqual(takeAll(new PortCircle({ from: 100, to: 102 }, 0, 1, random)), [100])
})

test('when all ports are taken there is none, and a freed one is used again', () => {
  const circle = new PortCircle({ from: 100, to: 107 }, 0, 1, random)
  takeAll(circle)
  assert.equal(circle.take(), undefined)
  circle.free(104)
  assert.equal(circle.take(), 104)
  assert.equal(circle.take(), undefined)
})

test('a port just freed is the last to be used again', () => {
  const circle = new PortCircle({ from: 100, to: 107 }, 0, 1, random)
  const first = circle.take()!
  circle.free(first)
  const next = [circle.take(), circle.take(), circle.take()]
  assert.ok(!next.includes(first))
})
