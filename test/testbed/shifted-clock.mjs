// Preloaded (`node --import`) by a test: this process's wall clock is off by so many milliseconds, as a machine's can be.
const offMs = Number(new URL(import.meta.url).searchParams.get('ms'))
const Machine = globalThis.Date

globalThis.Date = class ShiftedDate extends Machine {
  constructor(...given) {
    super(...(given.length > 0 ? given : [Machine.now() + offMs]))
  }

  static now() {
    return Machine.now() + offMs
  }
}
