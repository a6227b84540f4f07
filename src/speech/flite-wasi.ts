/**
 * Just enough of WASI preview 1 to run flite: arguments in, one file out, everything in memory. Node's own `node:wasi` would
 * need a real folder, and what a call says has no business on a disk.
 */
const SUCCESS = 0
const BAD_FD = 8
const NO_ENTRY = 44
const ROOT_FD = 3
const ALL_RIGHTS = 0x1fffffffn
const FILETYPE = { characterDevice: 2, directory: 3, regularFile: 4 } as const
const OPEN_CREATE = 1
const OPEN_TRUNCATE = 8

class Exit extends Error {
  readonly status: number
  constructor(status: number) {
    super(`exit ${status}`)
    this.status = status
  }
}

class MemoryFile {
  #data = new Uint8Array(1 << 16)
  length = 0

  write(at: number, bytes: Uint8Array): void {
    const end = at + bytes.length
    if (end > this.#data.length) {
      const larger = new Uint8Array(Math.max(end, this.#data.length * 2))
      larger.set(this.#data)
      this.#data = larger
    }
    this.#data.set(bytes, at)
    this.length = Math.max(this.length, end)
  }

  truncate(): void {
    this.length = 0
  }

  get bytes(): Uint8Array {
    return this.#data.subarray(0, this.length)
  }
}

export type RunResult = { status: number; files: Map<string, Uint8Array> }

/** Runs a command module once, with these arguments and an empty folder, and returns what it left in the folder. */
export function runCommand(module: WebAssembly.Module, args: readonly string[]): RunResult {
  const files = new Map<string, MemoryFile>()
  const open = new Map<number, { file: MemoryFile; at: number }>()
  let nextFd = ROOT_FD + 1
  let memory = new WebAssembly.Memory({ initial: 0 })
  const view = () => new DataView(memory.buffer) // the buffer is another one after the memory has grown
  const bytes = (at: number, length: number) => new Uint8Array(memory.buffer, at, length)
  const argv = args.map((arg) => new TextEncoder().encode(`${arg}\0`))

  const calls = {
    args_sizes_get(count: number, size: number) {
      view().setUint32(count, argv.length, true)
      view().setUint32(
        size,
        argv.reduce((sum, arg) => sum + arg.length, 0),
        true,
      )
      return SUCCESS
    },
    args_get(pointers: number, buffer: number) {
      let at = buffer
      argv.forEach((arg, index) => {
        view().setUint32(pointers + 4 * index, at, true)
        bytes(at, arg.length).set(arg)
        at += arg.length
      })
      return SUCCESS
    },
    clock_time_get(_id: number, _precision: bigint, time: number) {
      view().setBigUint64(time, 0n, true) // the same text sounds the same, whenever it is said
      return SUCCESS
    },
    fd_close: (fd: number) => (open.delete(fd) ? SUCCESS : BAD_FD),
    fd_fdstat_get(fd: number, stat: number) {
      const type = fd < ROOT_FD ? FILETYPE.characterDevice : fd === ROOT_FD ? FILETYPE.directory : FILETYPE.regularFile
      bytes(stat, 24).fill(0)
      view().setUint8(stat, type)
      view().setBigUint64(stat + 8, ALL_RIGHTS, true)
      view().setBigUint64(stat + 16, ALL_RIGHTS, true)
      return SUCCESS
    },
    fd_fdstat_set_flags: () => SUCCESS,
    fd_prestat_get(fd: number, stat: number) {
      if (fd !== ROOT_FD) return BAD_FD
      view().setUint32(stat, 0, true)
      view().setUint32(stat + 4, 1, true)
      return SUCCESS
    },
    fd_prestat_dir_name(_fd: number, path: number) {
      bytes(path, 1).set([46]) // "."
      return SUCCESS
    },
    fd_read(_fd: number, _vectors: number, _count: number, read: number) {
      view().setUint32(read, 0, true)
      return SUCCESS
    },
    fd_seek(fd: number, offset: bigint, whence: number, position: number) {
      const handle = open.get(fd)
      if (!handle) return BAD_FD
      const from = whence === 0 ? 0 : whence === 1 ? handle.at : handle.file.length
      handle.at = Math.max(0, from + Number(offset))
      view().setBigUint64(position, BigInt(handle.at), true)
      return SUCCESS
    },
    fd_write(fd: number, vectors: number, count: number, written: number) {
      const handle = open.get(fd)
      let total = 0
      for (let index = 0; index < count; index++) {
        const at = view().getUint32(vectors + 8 * index, true)
        const length = view().getUint32(vectors + 8 * index + 4, true)
        if (handle) {
          handle.file.write(handle.at, bytes(at, length))
          handle.at += length
        }
        total += length
      }
      view().setUint32(written, total, true)
      return SUCCESS
    },
    path_open(_dir: number, _flags: number, path: number, length: number, how: number, ...rest: (bigint | number)[]) {
      const name = new TextDecoder().decode(bytes(path, length))
      let file = files.get(name)
      if (!file && !(how & OPEN_CREATE)) return NO_ENTRY
      if (!file) {
        file = new MemoryFile()
        files.set(name, file)
      }
      if (how & OPEN_TRUNCATE) file.truncate()
      open.set(nextFd, { file, at: 0 })
      view().setUint32(Number(rest[3]), nextFd++, true)
      return SUCCESS
    },
    proc_exit(status: number) {
      throw new Exit(status)
    },
  }

  const { exports } = new WebAssembly.Instance(module, { wasi_snapshot_preview1: calls })
  if (!(exports.memory instanceof WebAssembly.Memory) || typeof exports._start !== 'function') {
    throw new Error('this is not a WASI command')
  }
  memory = exports.memory
  let status = 0
  try {
    exports._start()
  } catch (error) {
    if (!(error instanceof Exit)) throw error
    status = error.status
  }
  return { status, files: new Map([...files].map(([name, file]) => [name, file.bytes])) }
}
