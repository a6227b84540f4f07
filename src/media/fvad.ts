import fvadWasm, { type FvadModule } from '@echogarden/fvad-wasm'
import type { Pcm } from './types.ts'

const FRAME_SAMPLES = 160
const MODE_AGGRESSIVE = 2

/** One stream's WebRTC voice detector. `close` gives its memory back to the WebAssembly heap. */
export type Fvad = { isVoice(frame: Pcm): boolean; close(): void }
export type FvadLoader = { create(): Fvad }

/** Loads the WebAssembly once for a thread; the detectors made from it share one scratch frame. */
export async function loadFvad(): Promise<FvadLoader> {
  const wasm = await fvadWasm()
  const scratch = wasm._malloc(FRAME_SAMPLES * 2)
  return { create: () => createFvad(wasm, scratch) }
}

function createFvad(wasm: FvadModule, scratch: number): Fvad {
  let detector = wasm._fvad_new()
  if (detector === 0) throw new Error('the voice detector has no memory left')
  wasm._fvad_set_mode(detector, MODE_AGGRESSIVE)
  wasm._fvad_set_sample_rate(detector, 8000)
  return {
    isVoice(frame) {
      wasm.HEAP16.set(frame, scratch >> 1)
      return wasm._fvad_process(detector, scratch, FRAME_SAMPLES) === 1
    },
    close() {
      if (detector !== 0) wasm._fvad_free(detector)
      detector = 0
    },
  }
}
