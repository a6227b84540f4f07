/** The phone in a box: a carrier on loopback with scripted handsets, an inbox for text messages, and their page. */

export { type SandboxRoutesOptions, sandboxRoutes } from './routes.ts'
export { openSandbox } from './sandbox.ts'
export type * from './types.ts'
