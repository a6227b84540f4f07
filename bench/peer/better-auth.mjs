// The peer of bench/http.ts: better-auth's phone-number plugin behind plain node:http, in a process of its own.
// Usage: node better-auth.mjs <database file or postgres:// URL> <as-shipped | wal-full | postgres>. Prints `ready <port>`.
// Not TypeScript, so that the type check needs nothing of bench/node_modules.
import { createServer } from 'node:http'
import { DatabaseSync } from 'node:sqlite'
import { betterAuth } from 'better-auth'
import { getMigrations } from 'better-auth/db/migration'
import { toNodeHandler } from 'better-auth/node'
import { phoneNumber } from 'better-auth/plugins'
import pg from 'pg'

const [, , path, durability] = process.argv
const database = durability === 'postgres' ? new pg.Pool({ connectionString: path }) : new DatabaseSync(path)
if (durability === 'wal-full') database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL')

/** What "the phone" received: the load generator asks for it between sends and checks, outside the measured time. */
const codes = new Map()

const auth = betterAuth({
  database,
  secret: 'a secret for benchmarks only, no more',
  baseURL: 'http://127.0.0.1',
  telemetry: { enabled: false },
  rateLimit: { enabled: false }, // else it would answer 429, as Pincall would with its usual limits
  logger: { disabled: true },
  plugins: [
    phoneNumber({
      expiresIn: 3600,
      allowedAttempts: 5,
      sendOTP: ({ phoneNumber: to, code }) => {
        codes.set(to, code)
      },
      signUpOnVerification: { getTempEmail: (to) => `${to.slice(1)}@bench.invalid`, getTempName: (to) => to },
    }),
  ],
})
await (await getMigrations(auth.options)).runMigrations()
const handle = toNodeHandler(auth)

const server = createServer((request, response) => {
  if (request.url === '/codes') {
    response.end(JSON.stringify(Object.fromEntries(codes)))
    codes.clear()
  } else if (request.url === '/consume') consume(request, response)
  else handle(request, response)
})

/** The plugin's own check without the user it signs up: it has no route, so the cheapest one is put around it. */
async function consume(request, response) {
  let text = ''
  for await (const piece of request) text += piece
  let status = 200
  let answer
  try {
    answer = await auth.api.consumePhoneNumberOTP({ body: JSON.parse(text) })
  } catch (error) {
    status = error.statusCode ?? 500
    answer = { message: error.message }
  }
  const body = JSON.stringify(answer)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) })
  response.end(body)
}

server.listen(0, '127.0.0.1', () => console.log(`ready ${server.address().port}`))
process.on('SIGTERM', () => process.exit(0))
