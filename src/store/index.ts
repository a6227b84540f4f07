export { type Inspection, inspectSqlite } from './sqlite/inspect.ts'
export { openSqliteStore, type SqliteOptions } from './sqlite/open.ts'
export * from './types.ts'
