import type { Settings } from '../../config.ts'

export type Level = 'ok' | 'warn' | 'fail'

/** One line of the doctor's report. */
export type Finding = {
  check: string
  level: Level
  /** What was seen. */
  saw: string
  /** Where it is not ok: one sentence that says what to do. */
  todo?: string
}

/** What the checks look at: the settings as the server would have them, and whether one runs already. */
export type Patient = {
  env: NodeJS.ProcessEnv
  settings: Settings
  /** Where a running Pincall answers, if one does. */
  running: string | undefined
  databasePath: string
}

export const ok = (check: string, saw: string): Finding => ({ check, level: 'ok', saw })
export const warn = (check: string, saw: string, todo: string): Finding => ({ check, level: 'warn', saw, todo })
export const fail = (check: string, saw: string, todo: string): Finding => ({ check, level: 'fail', saw, todo })

export const reasonOf = (error: unknown): string => {
  const { code, message } = error as NodeJS.ErrnoException
  return code ?? message
}
