import type { Database } from './database.ts'

export function prepareRememberOnce(database: Database): (name: string, value: string) => string {
  const insert = database.prepare('INSERT INTO remembered (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING')
  const find = database.prepare<{ value: string }>('SELECT value FROM remembered WHERE name = ?')
  return (name, value) => {
    insert.run(name, value)
    return find.get(name)?.value ?? value
  }
}
