import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join, resolve } from 'node:path'
import { parse, stringify } from 'yaml'

/** What Patroni decides by, in seconds. */
export type Timings = { ttl: number; loop_wait: number; retry_timeout: number }

/** One machine of the set-up in docs/high-availability.md, brought to loopback: its files and what its programs are given. */
export type Machine = {
  name: string
  directory: string
  dataDir: string
  ports: { postgres: number; patroni: number }
  etcdEnv: Record<string, string>
  patroniEnv: Record<string, string>
  patroniConfig: string
}

const PAGE = resolve(import.meta.dirname, '../../docs/high-availability.md')
const PORTS = ['5432', '8008', '2379', '2380']
const COUNT = 3

/** Where Debian puts the programs; throws a sentence that says what to install. */
export function findPrograms(): { patroni: string; etcd: string; postgresBin: string } {
  const versions = existsSync('/usr/lib/postgresql') ? readdirSync('/usr/lib/postgresql') : []
  const newest = versions.sort((a, b) => Number(b) - Number(a)).map((version) => `/usr/lib/postgresql/${version}/bin`)
  const postgresBin = newest.find((bin) => existsSync(join(bin, 'pg_rewind')))
  const missing = [
    ...(existsSync('/usr/bin/patroni') ? [] : ['patroni']),
    ...(existsSync('/usr/lib/python3/dist-packages/etcd') ? [] : ['python3-etcd']),
    ...(existsSync('/usr/bin/etcd') ? [] : ['etcd-server']),
    ...(postgresBin ? [] : ['postgresql']),
  ]
  if (missing.length || !postgresBin) {
    throw new Error(
      `The failover test needs Debian's ${missing.join(', ')}: run \`bash .ci/run\`, or \`apt-get install ${missing.join(' ')}\`.`,
    )
  }
  return { patroni: '/usr/bin/patroni', etcd: '/usr/bin/etcd', postgresBin }
}

/** Reads the page's own files and brings them to this machine: its addresses, directories, and shorter times. */
export async function machinesOf(directory: string, postgresBin: string, timings: Timings): Promise<Machine[]> {
  const page = readFileSync(PAGE, 'utf8')
  const config = /```yaml\n([\s\S]*?)```/.exec(page)![1]
  const ports = await freeTcpPorts(COUNT * PORTS.length)
  const local = (text: string) =>
    text
      .replace(
        /10\.0\.0\.(\d):(\d+)/g,
        (_, n, port) => `127.0.0.1:${ports[(n - 1) * PORTS.length + PORTS.indexOf(port)]}`,
      )
      .replaceAll('10.0.0.0/24', '127.0.0.1/32')
  return Array.from({ length: COUNT }, (_, i) => {
    const n = String(i + 1)
    const name = `db${n}`
    const own = join(directory, name)
    const dataDir = join(own, 'data')
    const envOf = (path: string) => envFile(local(heredoc(page, path).replaceAll('$n', n)))
    const settings = parse(local(config))
    Object.assign(settings.bootstrap.dcs, timings)
    Object.assign(settings.postgresql, { data_dir: dataDir, bin_dir: postgresBin, pgpass: join(own, 'pgpass') })
    settings.postgresql.parameters.unix_socket_directories = own
    settings.watchdog.mode = 'off'
    return {
      name,
      directory: own,
      dataDir,
      ports: { postgres: ports[i * PORTS.length], patroni: ports[i * PORTS.length + 1] },
      etcdEnv: { ...envOf('/etc/default/etcd'), ETCD_DATA_DIR: join(own, 'etcd') },
      patroniEnv: envOf('/etc/patroni_env.conf'),
      patroniConfig: stringify(settings, { version: '1.1' }),
    }
  })
}

/** What the page's shell writes into that file. */
function heredoc(page: string, path: string): string {
  const found = page.split(`cat >${path} <<EOF\n`)[1]?.split('\nEOF\n')[0]
  if (!found) throw new Error(`${PAGE} no longer writes ${path}: the testbed builds what it says.`)
  return found
}

const envFile = (text: string): Record<string, string> =>
  Object.fromEntries(
    text.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  )

/** TCP ports that nobody holds, all different: each is held until the last is found. */
async function freeTcpPorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
      return server
    }),
  )
  const ports = servers.map((server) => (server.address() as { port: number }).port)
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))))
  return ports
}
