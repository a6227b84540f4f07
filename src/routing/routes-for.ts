import type { Route, RouteRule, Trunk } from './types.ts'

export type Routing = {
  /** The routes to a number, best first; empty where no rule covers it. */
  routesFor(msisdn: string): Route[]
}

/** Longest prefix wins; within a rule the operator's order stands. */
export function makeRouting(trunks: readonly Trunk[], rules: readonly RouteRule[]): Routing {
  const byName = new Map(trunks.map((trunk) => [trunk.name, trunk]))
  const byPrefix = new Map(
    rules.map((rule) => [
      rule.prefix,
      rule.trunks.map((name): Route => {
        const { caller, pricePerMinute, incrementS } = rule
        return { trunk: byName.get(name)!, caller, pricePerMinute, incrementS }
      }),
    ]),
  )
  return {
    routesFor(msisdn) {
      for (let length = msisdn.length; length >= 0; length--) {
        const routes = byPrefix.get(msisdn.slice(0, length))
        if (routes) return routes
      }
      return []
    },
  }
}
