declare module '@echogarden/espeak-ng-emscripten' {
  export type EspeakWorker = {
    readonly samplerate: number
    /** 0 where the voice is known; otherwise the old voice stays set. */
    set_voice(voice: string): number
    set_rate(wordsPerMinute: number): void
    set_pitch(percent: number): void
    /** Calls back with pieces of audio, synchronously; a truthy answer stops it. */
    synthesize(text: string, onAudio: (audio: Int16Array | undefined) => boolean): void
  }
  export type EspeakModule = { eSpeakNGWorker: new () => EspeakWorker }
  export default function load(): Promise<EspeakModule>
}
