import type { Pcm } from './types.ts'

const SAMPLE_RATE_HZ = 8000
const HEADER_BYTES = 44

/** A RIFF/WAVE file of 8 kHz mono 16-bit sound, for ears and players. */
export function wavOf(pcm: Pcm): Uint8Array {
  const file = Buffer.alloc(HEADER_BYTES + pcm.length * 2)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(file.length - 8, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  file.writeUInt32LE(16, 16)
  file.writeUInt16LE(1, 20) // linear PCM
  file.writeUInt16LE(1, 22) // channels
  file.writeUInt32LE(SAMPLE_RATE_HZ, 24)
  file.writeUInt32LE(SAMPLE_RATE_HZ * 2, 28)
  file.writeUInt16LE(2, 32)
  file.writeUInt16LE(16, 34)
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(pcm.length * 2, 40)
  for (let index = 0; index < pcm.length; index++) file.writeInt16LE(pcm[index]!, HEADER_BYTES + index * 2)
  return file
}
