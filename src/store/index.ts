export { openSqliteStore, type SqliteOptions } from './sqlite/open.ts'
export * from './types.ts'
