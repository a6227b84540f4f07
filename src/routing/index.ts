export { networkOf } from './network-of.ts'
export { makeRouting, type Routing } from './routes-for.ts'
export type { Network, Route, RouteRule, Trunk } from './types.ts'
