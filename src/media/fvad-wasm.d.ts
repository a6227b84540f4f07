/** WebRTC's voice activity detection (libfvad) as WebAssembly; the package ships no types. */
declare module '@echogarden/fvad-wasm' {
  export type FvadModule = {
    readonly HEAP16: Int16Array
    _malloc(bytes: number): number
    _free(pointer: number): void
    _fvad_new(): number
    _fvad_free(detector: number): void
    _fvad_reset(detector: number): void
    _fvad_set_mode(detector: number, mode: number): number
    _fvad_set_sample_rate(detector: number, hz: number): number
    /** 1 voice, 0 none, −1 for a frame length that is not 10, 20 or 30 ms. */
    _fvad_process(detector: number, samples: number, count: number): number
  }
  export default function fvad(): Promise<FvadModule>
}
