import { readFileSync } from 'node:fs'
import { Command, CommanderError, InvalidArgumentError } from 'commander'
import { PincallError } from '../errors.ts'
import { ENDINGS, PERSON } from './endings.ts'
import { Failure, type Io, paint } from './io.ts'

/** Runs one command line; resolves with the exit code. A command's own file is loaded when it is asked for. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  let exitCode = 0
  const program = describe(io, (code) => {
    exitCode = code
  })
  try {
    await program.parseAsync([...args], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode
    io.err(`${paint(io, 'red', '✗')} ${sentenceOf(error, io)}`)
    return error instanceof Failure ? error.exitCode : 1
  }
}

/** What was raised on purpose is a sentence already; anything else is a fault of ours, with its trace for who asks for it. */
function sentenceOf(error: unknown, io: Io): string {
  if (error instanceof Failure || error instanceof PincallError) return error.message
  const { message, stack } = error instanceof Error ? error : new Error(String(error))
  const wordy = ['debug', 'trace'].includes(io.env.PINCALL_LOG_LEVEL ?? '')
  return wordy ? (stack ?? message) : `A fault in Pincall: ${message} (PINCALL_LOG_LEVEL=debug shows where).`
}

function describe(io: Io, exit: (code: number) => void): Command {
  const program = new Command('pincall')
    .description('Phone verification on your own machines: one-time PINs by real phone calls and SMS.')
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help; for one command: pincall demo --help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.out(text.trimEnd()),
      writeErr: (text) => io.err(text.trimEnd()),
      getOutHelpWidth: () => Math.min(io.columns, 100),
      getErrHelpWidth: () => Math.min(io.columns, 100),
      getOutHasColors: () => io.colour,
      getErrHasColors: () => io.colour,
    })
    .showHelpAfterError('(pincall --help says what there is)')
    .addHelpText('after', FIRST_STEPS)
  addServe(program, io)
  addDemo(program, io)
  addKeys(program, io)
  addStore(program, io)
  addErase(program, io)
  addDoctor(program, io, exit)
  return program
}

const FIRST_STEPS = `
First steps:
  pincall demo      see it all once: nothing is kept, nobody is called, nothing is paid
  pincall serve     the server at http://127.0.0.1:8020; it prints lines to paste
  pincall doctor    what is set up here, what is not, and what to do about it

Settings come from the environment; these decide which installation a command means:
  PINCALL_DATA_DIR     database, keys (./data)
  PINCALL_DATABASE_URL postgres://user:password@host/database (none: SQLite in the data directory)
  PINCALL_HTTP_HOST    where the server listens (127.0.0.1)
  PINCALL_HTTP_PORT    and on which port (8020)
  PINCALL_CONFIG       a YAML file with trunks, routes, prices and limits (none: the sandbox is on)`

function addServe(program: Command, io: Io): void {
  program
    .command('serve')
    .description('run the server until Ctrl-C or SIGTERM; calls in progress may end first')
    .action(async () => (await import('../main.ts')).run(io.env))
}

function addDemo(program: Command, io: Io): void {
  program
    .command('demo')
    .summary('the whole story once: a PIN by text, then by a real call, then verified')
    .description(
      'Plays the whole life of a PIN: application, template, text message, then the same PIN by a real SIP call to a ' +
        'sandbox handset with every step of the call as it happens, the code that the handset heard, and its ' +
        'verification. Uses the server that runs here; where there is none, starts one for the time of the story.',
    )
    .option('-n, --number <number>', 'whom to send to, with country code; no real phone rings', numberOf, '41793026727')
    .option('-e, --ending <90…99>', 'how the call goes, see below', endingOption)
    .option('-s, --say <text>', 'the message, with {{pin}} where the code goes', textOf, 'Your code is {{pin}}.')
    .addHelpText('after', `\nEndings, and how the call ends:\n${endings()}`)
    .action(async (options: { number: string; ending?: string; say: string }) => {
      const { demo } = await import('./demo.ts')
      await demo(io, options)
    })
}

const endings = () =>
  [...Object.entries(ENDINGS), ['else', PERSON] as const]
    .map(([digits, { handset, status }]) => `  ${digits.padEnd(6)}${handset.padEnd(46)}${status}`)
    .join('\n')

function endingOption(text: string): string {
  if (!ENDINGS[text]) throw new InvalidArgumentError('It wants two digits from 90 to 99.')
  return text
}

function numberOf(text: string): string {
  const digits = text.replace(/[\s().-]/g, '').replace(/^(\+|00)/, '')
  if (!/^[1-9]\d{6,14}$/.test(digits))
    throw new InvalidArgumentError('It wants 7 to 15 digits with the country code, such as 41793026727.')
  return digits
}

function textOf(text: string): string {
  if (!text.includes('{{pin}}')) throw new InvalidArgumentError('It wants {{pin}} where the code goes.')
  return text
}

function addKeys(program: Command, io: Io): void {
  const keys = program
    .command('keys')
    .helpCommand(false)
    .summary('make, list and disable API keys')
    .description(
      'API keys of the default account. A server that runs on the same data directory sees changes within five seconds.',
    )
  keys
    .command('create')
    .description('make a key and print its secret, once: only a hash of it is kept')
    .argument('<name>', 'what it is for, such as "web shop"')
    .option('--scope <scope...>', 'what it may do: 2fa:manage (everything) or 2fa:pin:send (send and verify)', [
      '2fa:manage',
    ])
    .option('--days <days>', 'days until it ends; without it, never', daysOf)
    .option('--json', 'print JSON')
    .action(async (name: string, options: { scope: string[]; days?: number; json?: true }) =>
      (await import('./keys.ts')).createKey(io, { name, ...options }),
    )
  keys
    .command('list')
    .description('print the keys: ids, names, scopes, whether they work')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => (await import('./keys.ts')).listKeys(io, options))
  keys
    .command('disable')
    .description('turn a key off: requests with it are refused from then on, five seconds later at most')
    .argument('<id>', 'as `pincall keys list` prints it; its first characters will do')
    .action(async (id: string) => (await import('./keys.ts')).disableKey(io, id))
}

function daysOf(text: string): number {
  if (!/^[1-9]\d{0,4}$/.test(text)) throw new InvalidArgumentError('It wants a whole number of days.')
  return Number(text)
}

function addStore(program: Command, io: Io): void {
  const store = program
    .command('store')
    .helpCommand(false)
    .summary('move, back up and check the database')
    .description(
      'The database of the installation that PINCALL_DATA_DIR and PINCALL_DATABASE_URL mean. None of these commands makes a ' +
        'master key: those that need it read secret.key in the data directory, or PINCALL_SECRET_KEY, as the server does.',
    )
  store
    .command('export')
    .description(
      'write everything into a new file, as it is at one moment; servers may go on. Numbers stay sealed, codes are not in it. ' +
        'It reads the same on SQLite and PostgreSQL',
    )
    .argument('<file>', 'a new file, gzipped where its name ends in .gz; - for stdout')
    .action(async (file: string) => (await import('./store.ts')).exportTo(io, file))
  store
    .command('import')
    .description(
      'make a new, empty database hold what an export holds: all of it, or nothing. Refuses to overwrite, and a file that ' +
        'is not whole',
    )
    .argument('<file>', 'as `pincall store export` wrote it; - for stdin')
    .action(async (file: string) => (await import('./store.ts')).importFrom(io, file))
  store
    .command('backup')
    .description('copy the SQLite database into a new file while a server uses it, and check the copy')
    .argument('<file>', 'a new file')
    .action(async (file: string) => (await import('./store.ts')).backUp(io, file))
  store
    .command('reseal')
    .description('seal every number with the current master key; servers may go on. Needs the older keys still')
    .action(async () => (await import('./store.ts')).reseal(io))
  store
    .command('check')
    .description(
      'say whether the money adds up, the file is whole and what waits. Exits with 1 where something is wrong',
    )
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => (await import('./store.ts')).check(io, options))
}

function addErase(program: Command, io: Io): void {
  program
    .command('erase')
    .summary('forget a person: every PIN of a number, and all that hangs on it')
    .description(
      'Removes every PIN of a number in all accounts, with its deliveries, attempts, events and limits; asks nothing, and can ' +
        'not be undone. What was paid stays in the ledger, without whom. Needs every master key that numbers are sealed with. ' +
        'Exits with 1 where something is on its way to the number and had to stay.',
    )
    .argument('<number>', 'with country code', numberOf)
    .option('--json', 'print JSON')
    .action(async (number: string, options: { json?: true }) => (await import('./erase.ts')).erase(io, number, options))
}

function addDoctor(program: Command, io: Io, exit: (code: number) => void): void {
  program
    .command('doctor')
    .summary('check this machine and the settings; say what to do where something is wrong')
    .description(
      'Checks runtime, settings, data directory, key files, database, ports, clock, speech, trunks and disk. ' +
        'Changes nothing. Exits with 1 where something fails.',
    )
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => exit(await (await import('./doctor.ts')).doctor(io, options)))
}

/** Two folders up from here, in the source tree as in the published package. */
function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}
