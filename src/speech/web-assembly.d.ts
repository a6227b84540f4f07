/** The few names of WebAssembly that flite needs; TypeScript has them only together with the whole browser. */
declare namespace WebAssembly {
  class Module {
    private readonly brand
  }
  class Memory {
    constructor(size: { initial: number })
    readonly buffer: ArrayBuffer
  }
  class Instance {
    constructor(module: Module, imports: Record<string, Record<string, (...values: never[]) => number>>)
    readonly exports: Record<string, unknown>
  }
  function compile(bytes: Uint8Array): Promise<Module>
}
