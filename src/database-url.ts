/** A libpq URI: `postgres://user:password@host1:5432,host2:5432/database?option=value` (PostgreSQL manual, 34.1.1.2). */
const HOST = String.raw`(?:[\w.-]+|\[[\da-fA-F:.]+\])(?::\d{1,5})?`
const URL_OF_DATABASE = new RegExp(
  String.raw`^postgres(?:ql)?://(?:[^@/?#\s]*@)?${HOST}(?:,${HOST})*/[^/?#\s]+(?:\?[^#\s]*)?$`,
)

/** Whether a text names a PostgreSQL database: one or several hosts, and the database. */
export const isDatabaseUrl = (text: string): boolean => URL_OF_DATABASE.test(text)
