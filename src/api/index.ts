export { buildApi } from './build-api.ts'
export { hashPassword, verifyPassword } from './passwords.ts'
export { hashSecret } from './secrets.ts'
export type { ApiDeps } from './types.ts'
